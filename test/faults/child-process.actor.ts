import { execFileSync } from "node:child_process";
import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => execFileSync(process.execPath, ["-e", "setTimeout(() => {}, 3000)"]);

export default faultActor(fault);
