/**
 * Ends this process and those that it has started, at once: no code of it may run once main has ended. Main starts it as
 * the head of a process group of its own, but on Windows, which has none.
 */
export function endProcess(): void {
  try {
    if (process.platform !== "win32") process.kill(-process.pid, "SIGKILL");
  } catch {
    // It is not the head of its group any more.
  }
  process.kill(process.pid, "SIGKILL");
}
