import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: unknown[] = [];
  const text = JSON.stringify(Array.from({ length: 1000 }, (_, n) => ({ n })));
  for (;;) kept.push(JSON.parse(text));
};

export default faultActor(fault);
