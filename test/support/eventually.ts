/** Waits until `condition` holds. The only wait in the tests; it fails loudly after `deadlineMs`. */
export async function eventually(condition: () => boolean | Promise<boolean>, deadlineMs = 30_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
