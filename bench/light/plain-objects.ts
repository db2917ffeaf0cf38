import type { Contender } from "../contender.js";
import { type SmallObject, smallObject } from "../payloads.js";
import { initial, type Kept, tokensFor, Wander } from "./sizes.js";

interface Waiting {
  readonly message: SmallObject;
  readonly next: Waiting | undefined;
}

/** So many messages between two turns of the event loop. */
const TURN = 4_096;

/** An object with a queue, and a queue of the objects that have something: no copy, no bound, no fault of its own. */
export class PlainObjects {
  readonly #kept: Kept[];
  readonly #queues: { first: Waiting | undefined }[];
  #ready: number[] = [];

  constructor(count: number) {
    this.#kept = Array.from({ length: count }, (_, id) => initial(id));
    this.#queues = this.#kept.map(() => ({ first: undefined }));
  }

  send(to: number, message: SmallObject): void {
    const queue = this.#queues[to];
    if (queue.first === undefined) this.#ready.push(to);
    // Newest first: which one of an actor comes first does not change what it costs.
    queue.first = { message, next: queue.first };
  }

  /** Handles so many messages, each of which is sent on to another object. */
  async run(count: number, wander: Wander): Promise<void> {
    let left = count;
    while (left > 0) {
      let turn = Math.min(left, TURN);
      while (turn > 0) {
        const ready = this.#ready;
        this.#ready = [];
        for (const id of ready) {
          const queue = this.#queues[id];
          let waiting = queue.first;
          queue.first = undefined;
          for (; waiting !== undefined; waiting = waiting.next) {
            const kept = this.#kept[id];
            kept.handled++;
            kept.last = waiting.message;
            left--;
            turn--;
            this.send(wander.next(this.#kept.length), waiting.message);
          }
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

export function plainObjectsAmong(actors: number): Contender {
  return {
    name: "plain objects",
    how: "a queue each, by reference",
    async start() {
      const objects = new PlainObjects(actors);
      const wander = new Wander();
      for (let token = 0; token < tokensFor(actors); token++) objects.send(wander.next(actors), smallObject());
      return {
        async round(work) {
          const startedMs = performance.now();
          await objects.run(work, wander);
          return { work, elapsedMs: performance.now() - startedMs };
        },
        stop() {},
      };
    },
  };
}
