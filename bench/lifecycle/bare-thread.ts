import { parentPort } from "node:worker_threads";

// The least a worker does that can be talked to.
parentPort?.on("message", () => {});
parentPort?.postMessage("ready");
