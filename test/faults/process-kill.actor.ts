import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => process.kill(process.pid, "SIGKILL");

export default faultActor(fault);
