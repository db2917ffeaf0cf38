/** Resolves when it is done, or its time is over. */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, 2 ** 31 - 1));
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}
