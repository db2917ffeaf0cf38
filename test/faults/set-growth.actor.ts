import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept = new Set<number>();
  for (let n = 0; ; n++) kept.add(n);
};

export default faultActor(fault);
