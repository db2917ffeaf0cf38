import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: WeakRef<object>[] = [];
  for (let n = 0; ; n++) kept.push(new WeakRef({ n }));
};

export default faultActor(fault);
