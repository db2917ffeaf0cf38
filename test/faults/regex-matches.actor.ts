import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: unknown[] = [];
  const text = "abc ".repeat(1000);
  for (;;) kept.push([...text.matchAll(/(a)(b)(c)/g)]);
};

export default faultActor(fault);
