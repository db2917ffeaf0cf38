import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: ArrayBuffer[] = [];
  for (;;) kept.push(new ArrayBuffer(1 << 20));
};

export default faultActor(fault);
