import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => /^(a+)+$/.test(`${"a".repeat(40)}!`);

export default faultActor(fault);
