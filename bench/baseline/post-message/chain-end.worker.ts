import { parentPort, workerData } from "node:worker_threads";
import { smallObject } from "../../payloads.js";
import { RoundTripTimes } from "../../round-trip-times.js";
import type { Birth } from "./threads.js";

/** Starts with the ports of the chain's last and first threads. */
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
