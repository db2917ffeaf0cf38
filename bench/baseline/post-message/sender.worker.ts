import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { createPayload, type PayloadName } from "../../payloads.js";
import type { Birth } from "./threads.js";

export interface SendOrder {
  readonly payload: PayloadName;
  /** To each receiver. */
  readonly count: number;
  readonly window: number;
}

/** Posts to one receiver as long as it has credit; each message back renews half of the window. */
class Lane {
  readonly #port: MessagePort;
  #message: unknown;
  #left = 0;
  #credit = 0;
  #renewal = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", () => {
      this.#credit += this.#renewal;
      this.#pump();
    });
  }

  send(message: unknown, { count, window }: SendOrder): void {
    this.#message = message;
    this.#left = count;
    this.#credit = window;
    this.#renewal = window >> 1;
    this.#pump();
  }

  #pump(): void {
    const port = this.#port;
    const message = this.#message;
    const now = Math.min(this.#left, this.#credit);
    for (let i = 0; i < now; i++) port.postMessage(message);
    this.#left -= now;
    this.#credit -= now;
  }
}

const lanes = (workerData as Birth).ports.map((port) => new Lane(port));

parentPort?.on("message", (order: SendOrder) => {
  const message = createPayload(order.payload);
  for (const lane of lanes) lane.send(message, order);
});
