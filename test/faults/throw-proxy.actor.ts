import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  throw new Proxy(new Error("proxied"), {
    get() {
      throw new Error("in the trap");
    },
    ownKeys() {
      throw new Error("in the trap");
    },
  });
};

export default faultActor(fault);
