import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: number[][] = [];
  for (;;) kept.push(Array.from({ length: 3e6 }, (_, n) => (n * 7919) % 1e6).sort((a, b) => a - b));
};

export default faultActor(fault);
