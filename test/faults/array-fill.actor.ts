import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: number[][] = [];
  for (;;) kept.push(new Array(1e7).fill(1.5));
};

export default faultActor(fault);
