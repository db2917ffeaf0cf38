import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  throw Object.defineProperty(new Error("unreadable"), "message", {
    get() {
      throw new Error("in the getter");
    },
  });
};

export default faultActor(fault);
