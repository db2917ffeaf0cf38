import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: (() => unknown)[] = [];
  const close = (n: number) => {
    const held = [n, n, n, n];
    return () => held;
  };
  for (let n = 0; ; n++) kept.push(close(n));
};

export default faultActor(fault);
