import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  throw null;
};

export default faultActor(fault);
