import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => process.exit(3);

export default faultActor(fault);
