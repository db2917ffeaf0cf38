import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept = new Map<string, object>();
  for (let n = 0; ; n++) kept.set(`key ${n}`, { n });
};

export default faultActor(fault);
