/** What is different where there is no `/proc`, in one sentence; undefined on Linux, which has everything. */
export function platformGap(platform: NodeJS.Platform): string | undefined {
  if (platform === "linux") return undefined;
  return (
    `only on Linux does a process that an actor starts end with it, does handlerTimeoutMs leave out the time in which a ` +
    `thread waits for a core, and is cpuMs the kernel's number; this is ${platform}`
  );
}
