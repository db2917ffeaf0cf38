import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: Float64Array[] = [];
  for (;;) kept.push(new Float64Array(1 << 17));
};

export default faultActor(fault);
