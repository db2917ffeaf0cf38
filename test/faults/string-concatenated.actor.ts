import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: string[] = [];
  for (let n = 0; ; n++) kept.push(`${n}`.repeat(5) + kept.length);
};

export default faultActor(fault);
