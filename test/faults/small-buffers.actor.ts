import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: Buffer[] = [];
  for (let n = 0; ; n++) kept.push(Buffer.from(`small ${n}`));
};

export default faultActor(fault);
