import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => process.chdir("/");

export default faultActor(fault);
