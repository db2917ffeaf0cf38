import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  throw () => "a function";
};

export default faultActor(fault);
