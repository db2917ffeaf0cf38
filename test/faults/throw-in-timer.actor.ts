import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  setTimeout(() => {
    throw new Error("in a timer");
  }, 1);
};

export default faultActor(fault);
