import { readFileSync } from "node:fs";

/** The kernel counts CPU time in these. It is 100 a second for every program, whatever the kernel's own clock is. */
const MS_PER_TICK = 10;

/** What the kernel tells of a process: https://docs.kernel.org/filesystems/proc.html */
export interface ProcessStat {
  readonly parent: number;
  /** In the kernel's ticks. Tells a process from a later one with the same number. */
  readonly startedAt: string;
  /** Of all its threads, in steps of 10 ms. */
  readonly cpuMs: number;
}

/** Undefined where the kernel does not say: on other systems than Linux, or when the process is gone. */
export function processStat(pid: number): ProcessStat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The fields after the command, which stands in parentheses and may contain any character.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [, parent] = fields;
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
    return { parent: Number(parent), startedAt: fields[19], cpuMs };
  } catch {
    return undefined;
  }
}

/** The resident memory of a process, as the kernel counts it. Undefined as for `processStat`, and of one that has ended. */
export function residentMb(pid: number): number | undefined {
  try {
    // Not from stat, which counts in pages, whose size differs.
    const [, kb] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    return kb === undefined ? undefined : Number(kb) / 1024;
  } catch {
    return undefined;
  }
}
