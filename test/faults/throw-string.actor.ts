import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  throw "a string";
};

export default faultActor(fault);
