import { setImmediate, setTimeout } from "node:timers/promises";
import type { ActorRef } from "@mini-otp/runtime";
import type Sibling from "./sibling.actor.js";

const PAUSE_MS = 2;

/** Calls an actor again and again, and keeps the longest round trip. */
export class Pinger {
  readonly #sibling: ActorRef<typeof Sibling>;
  readonly #running: Promise<void>;
  #stopped = false;
  #pings = 0;
  #maxMs = 0;

  constructor(sibling: ActorRef<typeof Sibling>) {
    this.#sibling = sibling;
    this.#running = this.#run();
  }

  async stop(): Promise<{ maxMs: number; pings: number }> {
    this.#stopped = true;
    await this.#running;
    return { maxMs: this.#maxMs, pings: this.#pings };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const sentMs = performance.now();
      await this.#sibling.call("echo", ++this.#pings);
      this.#maxMs = Math.max(this.#maxMs, performance.now() - sentMs);
      await setTimeout(PAUSE_MS);
    }
  }
}

/** The longest time this thread's event loop took for one turn beyond what it had to wait. */
export class LoopDelay {
  #maxMs = 0;
  #stopped = false;

  constructor() {
    void this.#run();
  }

  stop(): number {
    this.#stopped = true;
    return this.#maxMs;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const beforeMs = performance.now();
      await setTimeout(1);
      await setImmediate();
      this.#maxMs = Math.max(this.#maxMs, performance.now() - beforeMs - 1);
    }
  }
}
