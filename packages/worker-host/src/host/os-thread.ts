import { readFileSync, readlinkSync } from "node:fs";

/*
 * The thread's number in the operating system, so that main can ask for its CPU time whatever the thread does. On Linux
 * only, and only where the actor may read files: elsewhere main uses the busy time of the event loop.
 */

/** The number of this thread; 0 where it cannot be read. */
export function osThreadId(): number {
  try {
    // As `<pid>/task/<number>`: https://docs.kernel.org/filesystems/proc.html
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1)) || 0;
  } catch {
    return 0;
  }
}

/** The CPU time of this thread, in whole ms; 0 where it cannot be read. */
export function ownCpuMs(): number {
  try {
    return Math.round(Number.parseInt(readFileSync("/proc/thread-self/schedstat", "latin1"), 10) / 1e6) || 0;
  } catch {
    return 0;
  }
}
