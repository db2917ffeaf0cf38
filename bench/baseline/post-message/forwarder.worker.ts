import { workerData } from "node:worker_threads";
import type { Birth } from "./threads.js";

/** Born with the port of the one before and that of the one after. */
const [before, after] = (workerData as Birth).ports;
before.on("message", (message: unknown) => after.postMessage(message));
