import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const descend = (n: number): number => descend(n + 1) + 1;
  return descend(0);
};

export default faultActor(fault);
