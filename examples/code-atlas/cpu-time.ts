import { cpus } from "node:os";

/** What share of the machine's CPU time other programs took between a call and the call of what it returns. */
export function watchOthers(): () => number {
  const start = { machine: machineMs(), own: process.cpuUsage() };
  return () => {
    const machine = machineMs();
    const { user, system } = process.cpuUsage(start.own);
    const busy = machine.busy - start.machine.busy;
    const all = busy + machine.idle - start.machine.idle;
    return all === 0 ? 0 : Math.max(0, (busy - (user + system) / 1_000) / all);
  };
}

/** In all cores together since the machine was started. */
function machineMs(): { busy: number; idle: number } {
  const sums = { busy: 0, idle: 0 };
  for (const { times } of cpus()) {
    sums.busy += times.user + times.nice + times.sys + times.irq;
    sums.idle += times.idle;
  }
  return sums;
}
