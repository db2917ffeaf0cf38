import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = async () => {
  for (;;) await null;
};

export default faultActor(fault);
