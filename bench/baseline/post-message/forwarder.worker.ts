import { workerData } from "node:worker_threads";
import type { Birth } from "./threads.js";

/** Starts with the ports of the threads before and after it. */
const [before, after] = (workerData as Birth).ports;
before.on("message", (message: unknown) => after.postMessage(message));
