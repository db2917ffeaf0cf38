import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { smallObject } from "../../payloads.js";
import { pause, RoundTripTimes } from "../../round-trip-times.js";
import type { CallOrder } from "./caller.worker.js";
import { publish, REPLIES, REQUESTS, waitWhile } from "./shared-words.js";
import type { PollingBirth } from "./threads.js";

const { ports, shared } = workerData as PollingBirth;
const [port] = ports;
const message = smallObject();
let calls = 0;

parentPort?.on("message", ({ count, pauseMs }: CallOrder) => {
  const times = new RoundTripTimes(count);
  do {
    if (pauseMs > 0) {
      pause(pauseMs);
      times.restart();
    }
    port.postMessage(message);
    publish(shared, REQUESTS, calls + 1);
    waitWhile(shared, REPLIES, calls);
    receiveMessageOnPort(port);
    calls = (calls + 1) | 0;
  } while (!times.done());
  parentPort?.postMessage(times.round());
});
