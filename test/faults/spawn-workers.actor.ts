import { Worker } from "node:worker_threads";
import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: Worker[] = [];
  for (;;) kept.push(new Worker("setInterval(() => {}, 1000)", { eval: true }));
};

export default faultActor(fault);
