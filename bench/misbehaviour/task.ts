import { WORK, type WorkName } from "./work.js";

/** What piscina and tinypool run in their threads. */
export default (name: WorkName): unknown => WORK[name]();
