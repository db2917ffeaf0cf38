import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: Promise<unknown>[] = [];
  for (;;) kept.push(new Promise(() => {}).then(() => kept.length));
};

export default faultActor(fault);
