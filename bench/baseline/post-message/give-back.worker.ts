import { parentPort, workerData } from "node:worker_threads";
import type { Birth } from "./threads.js";

// By a port of its own to another thread, or to main.
const { ports: [port = parentPort] = [] } = (workerData ?? {}) as Partial<Birth>;
port?.on("message", (buffer: ArrayBuffer) => port.postMessage(buffer, [buffer]));
