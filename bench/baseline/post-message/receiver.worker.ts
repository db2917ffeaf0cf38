import { parentPort, workerData } from "node:worker_threads";
import type { Birth } from "./threads.js";

export interface ReceiveOrder {
  /** From all senders together. */
  readonly count: number;
  readonly window: number;
}

let missing = 0;
let renewal = 0;
let unrenewed: number[] = [];

// Counts, renews each sender's credit by half a window at a time, and says once when all has come.
const { ports } = workerData as Birth;
ports.forEach((port, sender) => {
  port.on("message", () => {
    if (++unrenewed[sender] === renewal) {
      unrenewed[sender] = 0;
      port.postMessage(0);
    }
    if (--missing === 0) parentPort?.postMessage("done");
  });
});

parentPort?.on("message", (order: ReceiveOrder) => {
  missing = order.count;
  renewal = order.window >> 1;
  unrenewed = ports.map(() => 0);
  parentPort?.postMessage("ready");
});
