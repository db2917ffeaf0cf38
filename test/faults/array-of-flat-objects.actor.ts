import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: object[] = [];
  for (let n = 0; ; n++) kept.push({ n });
};

export default faultActor(fault);
