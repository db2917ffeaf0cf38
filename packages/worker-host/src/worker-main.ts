import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { runActorThread } from "./host.js";
import { prepareThread } from "./prelude.js";
import type { BootData, ToMain } from "./protocol/boot.js";

const port = parentPort as MessagePort;
prepareThread((workerData as BootData).offHeapCapMb, (bytes) =>
  port.postMessage({ type: "unseen_memory", bytes } satisfies ToMain),
);
void runActorThread(port, workerData as BootData);
