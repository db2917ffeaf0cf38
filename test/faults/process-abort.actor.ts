import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => process.abort();

export default faultActor(fault);
