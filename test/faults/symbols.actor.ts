import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: symbol[] = [];
  for (let n = 0; ; n++) kept.push(Symbol.for(`symbol ${n}`));
};

export default faultActor(fault);
