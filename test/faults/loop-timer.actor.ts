import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  setTimeout(() => {
    for (;;);
  }, 1);
};

export default faultActor(fault);
