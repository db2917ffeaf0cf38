import { median } from "../statistics.js";

const BATCHES = 9;

function cpuUs(): number {
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

/** The same of something asynchronous, one after the other. */
export async function asyncCostUs(callsAtOnce: number, call: (index: number) => Promise<unknown>): Promise<number> {
  let index = 0;
  const batch = async (): Promise<number> => {
    const before = cpuUs();
    for (let i = 0; i < callsAtOnce; i++) await call(index++);
    return (cpuUs() - before) / callsAtOnce;
  };
  await batch();
  const costs: number[] = [];
  for (let i = 0; i < BATCHES; i++) costs.push(await batch());
  return median(costs);
}
