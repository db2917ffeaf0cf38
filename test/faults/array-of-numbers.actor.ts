import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: number[] = [];
  for (let n = 0; ; n++) kept.push(n * 1.5);
};

export default faultActor(fault);
