import { workerData } from "node:worker_threads";
import type { SmallObject } from "../../payloads.js";
import type { Birth } from "./threads.js";

const [port] = (workerData as Birth).ports;
port.on("message", (message: SmallObject) => port.postMessage(message.id));
