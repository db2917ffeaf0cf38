import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => ({
  get looping(): number {
    for (;;);
  },
});

export default faultActor(fault);
