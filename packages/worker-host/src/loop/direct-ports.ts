import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { ToActor } from "../protocol/port/messages.js";

/**
 * This thread's channels to other actors' threads, for replies that transfer objects. Main makes one when the first such
 * reply has gone over main. A channel belongs to two threads, not to two actors: it ends with either of them.
 */
export class DirectPorts {
  readonly #ports = new Map<number, MessagePort>();
  readonly #accept: (message: ToActor) => void;
  readonly #arrived: () => void;

  /** `accept` takes each message; `arrived` is called after those that the event loop has delivered. */
  constructor(accept: (message: ToActor) => void, arrived: () => void) {
    this.#accept = accept;
    this.#arrived = arrived;
  }

  /** `peer` is the owner id of the other thread. */
  add(peer: number, port: MessagePort): void {
    this.#ports.get(peer)?.close();
    this.#ports.set(peer, port);
    port.on("message", (message: ToActor) => {
      this.#accept(message);
      this.#arrived();
    });
    port.on("close", () => {
      if (this.#ports.get(peer) === port) this.#ports.delete(peer);
    });
    // The port to main keeps the thread alive. Open ones would also count as work of the actor's own.
    port.unref();
  }

  get size(): number {
    return this.#ports.size;
  }

  to(peer: number): MessagePort | undefined {
    return this.#ports.get(peer);
  }

  /** Takes the messages that have arrived, without a turn of the event loop. */
  poll(): void {
    for (const port of this.#ports.values()) {
      for (;;) {
        const received = receiveMessageOnPort(port) as { message: ToActor } | undefined;
        if (received === undefined) break;
        this.#accept(received.message);
      }
    }
  }
}
