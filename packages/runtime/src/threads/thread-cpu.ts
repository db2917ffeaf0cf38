import { closeSync, openSync, readSync } from "node:fs";

/** Three numbers of at most twenty digits, and what is between them. */
const line = Buffer.alloc(64);

/** What the kernel says a thread has run for, in ms; undefined where it cannot be asked: not on Linux, or the thread is gone. */
export function threadCpuMs(osThread: number): number | undefined {
  if (osThread === 0) return undefined;
  try {
    const file = openSync(`/proc/self/task/${osThread}/schedstat`, "r");
    try {
      // Its first number is nanoseconds on a CPU: https://docs.kernel.org/scheduler/sched-stats.html
      return Number.parseInt(line.toString("latin1", 0, readSync(file, line)), 10) / 1e6;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
