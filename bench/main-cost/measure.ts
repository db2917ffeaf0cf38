import { median } from "../statistics.js";

const BATCHES = 9;

/** The CPU time of this process so far. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The median CPU time of one call in µs, garbage collection included. Other work on the machine changes it little. */
export function costUs(callsAtOnce: number, call: (index: number) => void): number {
  let index = 0;
  const batch = (): number => {
    const before = cpuUs();
    for (let i = 0; i < callsAtOnce; i++) call(index++);
    return (cpuUs() - before) / callsAtOnce;
  };
  batch();
  return median(Array.from({ length: BATCHES }, batch));
}

/** The same of asynchronous calls, one after the other; several contenders take turns. */
export async function asyncCostsUs(
  callsAtOnce: number,
  contenders: readonly ((index: number) => Promise<unknown>)[],
): Promise<number[]> {
  const costs = contenders.map((): number[] => []);
  for (let batch = 0; batch <= BATCHES; batch++) {
    for (const [contender, call] of contenders.entries()) {
      const before = cpuUs();
      for (let i = 0; i < callsAtOnce; i++) await call(batch * callsAtOnce + i);
      // The first batch is for the compiler.
      if (batch > 0) costs[contender].push((cpuUs() - before) / callsAtOnce);
    }
  }
  return costs.map(median);
}
