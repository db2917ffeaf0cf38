import { type Fault, faultActor } from "./fault-actor.js";

// On Node 24 and 26 V8 compiles this loop without a look for interrupts: it cannot be ended.
export const fault: Fault = () => {
  const kept: (() => unknown)[] = [];
  const n = 0;
  for (;;) {
    const z = new Array(100).fill(n);
    kept.push(() => z);
  }
};

export default faultActor(fault);
