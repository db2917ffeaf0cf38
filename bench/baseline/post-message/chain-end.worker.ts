import { parentPort, workerData } from "node:worker_threads";
import { smallObject } from "../../payloads.js";
import { RoundTripTimes } from "../../round-trip-times.js";
import type { Birth } from "./threads.js";

/** Born with the port of the chain's last and that of its first. */
const [last, first] = (workerData as Birth).ports;
let times: RoundTripTimes;

last.on("message", (message: unknown) => {
  if (times.done()) parentPort?.postMessage(times.round());
  else first.postMessage(message);
});

parentPort?.on("message", (count: number) => {
  times = new RoundTripTimes(count);
  first.postMessage(smallObject());
});
