import { closeSync, openSync, readSync } from "node:fs";

/** Three numbers of at most twenty digits, and the characters between them. */
const line = Buffer.alloc(64);

/** A thread's times by the kernel, in ms. */
export interface ThreadTimes {
  readonly cpuMs: number;
  /** How long it could have run but waited for a core. */
  readonly delayedMs: number;
}

/** Undefined where the kernel does not say: on other systems than Linux, or when the thread is gone. */
export function threadTimes(osThread: number): ThreadTimes | undefined {
  if (osThread === 0) return undefined;
  try {
    const file = openSync(`/proc/self/task/${osThread}/schedstat`, "r");
    try {
      // Nanoseconds on a CPU, and on a run queue: https://docs.kernel.org/scheduler/sched-stats.html
      const [cpuNs, delayedNs] = line.toString("latin1", 0, readSync(file, line)).split(" ", 2);
      return { cpuMs: Number(cpuNs) / 1e6, delayedMs: Number(delayedNs) / 1e6 };
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

export function threadCpuMs(osThread: number): number | undefined {
  return threadTimes(osThread)?.cpuMs;
}
