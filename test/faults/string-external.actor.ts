import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: string[] = [];
  for (;;) kept.push(Buffer.alloc(1 << 21, 97).toString("latin1"));
};

export default faultActor(fault);
