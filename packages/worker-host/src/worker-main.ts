import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { runActorThread } from "./host.js";
import type { BootData } from "./protocol/boot.js";

void runActorThread(parentPort as MessagePort, workerData as BootData);
