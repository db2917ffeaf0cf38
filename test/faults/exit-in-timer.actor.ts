import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  setTimeout(() => process.exit(4), 1);
};

export default faultActor(fault);
