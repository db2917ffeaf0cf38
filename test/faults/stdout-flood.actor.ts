import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const line = "x".repeat(1000);
  for (;;) process.stdout.write(line);
};

export default faultActor(fault);
