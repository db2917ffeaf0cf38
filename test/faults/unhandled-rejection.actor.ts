import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  void Promise.reject(new Error("it has no handler"));
};

export default faultActor(fault);
