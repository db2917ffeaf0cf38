import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { ReceiveOrder } from "./receiver.worker.js";
import { ASLEEP, HANDLED, publish } from "./shared-words.js";
import type { PollingBirth } from "./threads.js";

const { ports, shared } = workerData as PollingBirth;
const [port] = ports;

parentPort?.on("message", ({ count, window }: ReceiveOrder) => {
  Atomics.store(shared, HANDLED, 0);
  parentPort?.postMessage("ready");
  const renewal = window >> 1;
  for (let handled = 0; handled < count; ) {
    let received = receiveMessageOnPort(port);
    if (received === undefined) {
      // Announced before the last look, so that a message posted meanwhile is either seen or rings.
      Atomics.store(shared, ASLEEP, 1);
      received = receiveMessageOnPort(port);
      if (received === undefined) Atomics.wait(shared, ASLEEP, 1);
      Atomics.store(shared, ASLEEP, 0);
      if (received === undefined) continue;
    }
    if (++handled % renewal === 0) publish(shared, HANDLED, handled);
  }
  parentPort?.postMessage("done");
});
