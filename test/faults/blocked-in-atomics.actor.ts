import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);

export default faultActor(fault);
