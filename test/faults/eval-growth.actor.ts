import { runInThisContext } from "node:vm";
import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: unknown[] = [];
  for (let n = 0; ; n++) kept.push(runInThisContext(`(function f${n}() { return [${n}, "${"x".repeat(500)}"]; })`));
};

export default faultActor(fault);
