import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  throw Object.freeze(new Error("frozen"));
};

export default faultActor(fault);
