import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  let kept: number[] = [1, 2, 3, 4];
  for (;;) kept = [...kept, ...kept];
};

export default faultActor(fault);
