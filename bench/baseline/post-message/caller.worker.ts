import { parentPort, workerData } from "node:worker_threads";
import { smallObject } from "../../payloads.js";
import { pause, RoundTripTimes } from "../../round-trip-times.js";
import type { Birth } from "./threads.js";

export interface CallOrder {
  readonly count: number;
  /** Before each call; 0 for none. */
  readonly pauseMs: number;
}

const { ports } = workerData as Birth;
const [port] = ports;
const message = smallObject();
let pauseMs = 0;
let times: RoundTripTimes;

function call(): void {
  if (pauseMs > 0) {
    pause(pauseMs);
    times.restart();
  }
  port.postMessage(message);
}

port.on("message", () => {
  if (times.done()) parentPort?.postMessage(times.round());
  else call();
});

parentPort?.on("message", (order: CallOrder) => {
  pauseMs = order.pauseMs;
  times = new RoundTripTimes(order.count);
  call();
});
