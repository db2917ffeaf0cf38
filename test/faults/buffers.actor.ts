import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: Buffer[] = [];
  for (;;) kept.push(Buffer.alloc(1 << 20, 1));
};

export default faultActor(fault);
