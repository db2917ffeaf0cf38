import { parentPort, workerData } from "node:worker_threads";
import { createPayload } from "../../payloads.js";
import type { SendOrder } from "./sender.worker.js";
import { ASLEEP, HANDLED, publish } from "./shared-words.js";
import type { PollingBirth } from "./threads.js";

const { ports, shared } = workerData as PollingBirth;
const [port] = ports;

parentPort?.on("message", ({ payload, count, window }: SendOrder) => {
  const message = createPayload(payload);
  let handled = 0;
  for (let i = 0; i < count; i++) {
    while (i - handled >= window) {
      Atomics.wait(shared, HANDLED, handled, 10);
      handled = Atomics.load(shared, HANDLED);
    }
    port.postMessage(message);
    if (Atomics.load(shared, ASLEEP) === 1) publish(shared, ASLEEP, 0);
  }
});
