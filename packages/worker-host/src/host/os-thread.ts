import { readFileSync, readlinkSync } from "node:fs";

/*
 * This thread as the operating system knows it, so that main can ask what it uses of the CPU, whatever it is doing.
 * Linux only, and not where the actor may not read files: then main takes the busy time of the event loop instead.
 */

/** Its number, 0 where it is not to be had. */
export function osThreadId(): number {
  try {
    // As `<pid>/task/<number>`: https://docs.kernel.org/filesystems/proc.html
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1)) || 0;
  } catch {
    return 0;
  }
}

/** What it has used of the CPU, in whole ms; 0 where it is not to be had. */
export function ownCpuMs(): number {
  try {
    return Math.round(Number.parseInt(readFileSync("/proc/thread-self/schedstat", "latin1"), 10) / 1e6) || 0;
  } catch {
    return 0;
  }
}
