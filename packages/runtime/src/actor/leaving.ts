import type { ActorThread } from "../threads/actor-thread.js";
import { ZOMBIE_MS } from "../threads/end-limits.js";

/** Bounds the end of one thread: a thread that does not leave is killed, and one that survives its kill is given up. */
export class Leaving {
  readonly #threadOf: () => ActorThread | undefined;
  readonly #giveUp: (thread: ActorThread) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `threadOf` is the thread that is to end. */
  constructor(threadOf: () => ActorThread | undefined, giveUp: (thread: ActorThread) => void) {
    this.#threadOf = threadOf;
    this.#giveUp = giveUp;
  }

  /** The thread is leaving, by itself or because it was asked: kills it if it stays longer. The first limit counts. */
  forceOutAfter(ms: number): void {
    this.#timer ??= setTimeout(() => this.#forceOut(), ms);
  }

  /** The thread was killed: gives it up if it survives. The first limit counts. */
  giveUpAfterKill(thread: ActorThread): void {
    this.#timer ??= setTimeout(() => this.#giveUp(thread), ZOMBIE_MS);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #forceOut(): void {
    const thread = this.#threadOf();
    if (thread === undefined) return;
    thread.terminate();
    this.#timer = setTimeout(() => this.#giveUp(thread), ZOMBIE_MS);
  }
}
