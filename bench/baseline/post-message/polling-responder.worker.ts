import { receiveMessageOnPort, workerData } from "node:worker_threads";
import type { SmallObject } from "../../payloads.js";
import { publish, REPLIES, REQUESTS, waitWhile } from "./shared-words.js";
import type { PollingBirth } from "./threads.js";

const { ports, shared } = workerData as PollingBirth;
const [port] = ports;

for (let served = 0; ; ) {
  served = waitWhile(shared, REQUESTS, served);
  const { message } = receiveMessageOnPort(port) as { message: SmallObject };
  port.postMessage(message.id);
  publish(shared, REPLIES, served);
}
