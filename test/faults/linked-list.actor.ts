import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  let head: object | null = null;
  for (let n = 0; ; n++) head = { n, next: head };
};

export default faultActor(fault);
