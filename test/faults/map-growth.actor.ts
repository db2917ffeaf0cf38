import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept = new Map<number, number>();
  for (let n = 0; ; n++) kept.set(n, n);
};

export default faultActor(fault);
