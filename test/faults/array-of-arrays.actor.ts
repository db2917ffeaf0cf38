import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: unknown[] = [];
  for (let n = 0; ; n++) kept.push([n, [n], [[n]]]);
};

export default faultActor(fault);
