import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: unknown[] = [];
  const value = Array.from({ length: 1000 }, (_, n) => ({ n }));
  for (;;) kept.push(structuredClone(value));
};

export default faultActor(fault);
