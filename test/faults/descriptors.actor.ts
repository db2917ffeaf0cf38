import { openSync } from "node:fs";
import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: number[] = [];
  for (;;) kept.push(openSync("/dev/null", "r"));
};

export default faultActor(fault);
