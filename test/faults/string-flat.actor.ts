import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: string[] = [];
  for (let n = 0; ; n++) kept.push(Buffer.from("x".repeat(1000) + n).toString("utf8"));
};

export default faultActor(fault);
