import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: number[][] = [];
  setInterval(() => kept.push(new Array(100_000).fill(kept.length + 0.5)), 1);
};

export default faultActor(fault);
