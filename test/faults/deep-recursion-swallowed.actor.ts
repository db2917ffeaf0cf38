import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const descend = (n: number): number => {
    try {
      return descend(n + 1) + 1;
    } catch {
      return 0;
    }
  };
  for (;;) descend(0);
};

export default faultActor(fault);
