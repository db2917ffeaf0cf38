import { readFileSync } from "node:fs";

/** What the kernel says a thread has run for, in ms; undefined where it cannot be asked: not on Linux, or the thread is gone. */
export function threadCpuMs(osThread: number): number | undefined {
  if (osThread === 0) return undefined;
  try {
    // Its first number is nanoseconds on a CPU: https://docs.kernel.org/scheduler/sched-stats.html
    return Number.parseInt(readFileSync(`/proc/self/task/${osThread}/schedstat`, "latin1"), 10) / 1e6;
  } catch {
    return undefined;
  }
}
