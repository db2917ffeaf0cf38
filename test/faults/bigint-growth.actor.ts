import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: bigint[] = [];
  for (let n = 1n; ; n++) kept.push(n << 20_000n);
};

export default faultActor(fault);
