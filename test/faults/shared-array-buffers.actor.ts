import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: Uint8Array[] = [];
  for (;;) kept.push(new Uint8Array(new SharedArrayBuffer(1 << 20)).fill(1));
};

export default faultActor(fault);
