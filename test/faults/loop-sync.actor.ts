import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  for (;;);
};

export default faultActor(fault);
