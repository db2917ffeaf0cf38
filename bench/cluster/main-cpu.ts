import { readFileSync } from "node:fs";

/** Of Linux's clock ticks: 100 a second. */
const TICK_MS = 10;

/** CPU time in ms of this process's main thread alone. Linux only. */
export function mainCpuMs(): number {
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, "utf8");
  // The name of the thread, in front, may have spaces. The 12th and 13th field behind it are its times.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
