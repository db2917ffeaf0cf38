import { setFlagsFromString } from "node:v8";
import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => setFlagsFromString("--stack-size=100");

export default faultActor(fault);
