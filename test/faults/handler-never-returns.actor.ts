import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => new Promise(() => {});

export default faultActor(fault);
