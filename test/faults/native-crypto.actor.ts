import { pbkdf2Sync } from "node:crypto";
import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => pbkdf2Sync("password", "salt", 4_000_000, 64, "sha512");

export default faultActor(fault);
