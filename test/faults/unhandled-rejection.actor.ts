import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  void Promise.reject(new Error("nobody handles it"));
};

export default faultActor(fault);
