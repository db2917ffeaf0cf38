import { parentPort, workerData } from "node:worker_threads";
import { transferredBuffer, whole } from "../../payloads.js";
import { RoundTripTimes } from "../../round-trip-times.js";
import type { CallOrder } from "./caller.worker.js";
import type { Birth } from "./threads.js";

const [port] = (workerData as Birth).ports;
let times: RoundTripTimes;

const give = (buffer: ArrayBuffer): void => port.postMessage(buffer, [buffer]);

port.on("message", (arrived: unknown) => {
  const buffer = whole(arrived);
  if (times.done()) parentPort?.postMessage(times.round());
  else give(buffer);
});

parentPort?.on("message", ({ count }: CallOrder) => {
  times = new RoundTripTimes(count);
  give(transferredBuffer());
});
