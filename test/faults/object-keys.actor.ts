import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: Record<string, number> = {};
  for (let n = 0; ; n++) kept[`key ${n}`] = n;
};

export default faultActor(fault);
