/** Open in every actor's thread: the port to main. */
const PORTS_TO_MAIN = 1;
/** A look that takes no longer costs less than the sleep that it comes before. */
const CHEAP_MS = 0.005;
/** A dearer look is not taken again before so many times what it took, so that looks are 2 % of the thread's time at most. */
const PAUSE = 50;

/**
 * Whether the actor has work of its own under way that needs the event loop: sockets, timers, reads. To ask Node takes
 * 0.1 µs and 15 ns for each open socket, so with many open what was seen last holds for a while.
 */
export class OwnWork {
  readonly #lookAgain: () => void;
  #seen = false;
  #holdsUntil = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `lookAgain` is called when an answer that was not fresh has to be replaced. */
  constructor(lookAgain: () => void) {
    this.#lookAgain = lookAgain;
  }

  /** `now` is `performance.now()`; `runtimesTimers` are those of the loop itself. Never false while there is some. */
  isUnderWay(now: number, runtimesTimers: number): boolean {
    if (this.#seen && now < this.#holdsUntil) {
      // Unref: it is no work of the actor's.
      this.#timer ??= setTimeout(this.#due, this.#holdsUntil - now).unref();
      return true;
    }
    this.#seen = process.getActiveResourcesInfo().length > PORTS_TO_MAIN + runtimesTimers;
    const took = performance.now() - now;
    this.#holdsUntil = took > CHEAP_MS ? now + took * (1 + PAUSE) : 0;
    return this.#seen;
  }

  readonly #due = (): void => {
    this.#timer = undefined;
    this.#lookAgain();
  };
}
