import { parentPort } from "node:worker_threads";
import type { SmallObject } from "../../payloads.js";

parentPort?.on("message", (message: SmallObject) => parentPort?.postMessage(message.id));
