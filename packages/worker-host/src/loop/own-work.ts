/** Every actor's thread has one open: the port to main. */
const PORTS_TO_MAIN = 1;
/** A look that takes no longer costs less than the sleep that follows it. */
const CHEAP_MS = 0.005;
/**
 * A slower look is not repeated before this many times its duration, so looks take at most 2 % of the thread's time.
 */
const PAUSE = 50;
/**
 * Work may end without a callback of the actor's, as the close of a file that Node has read a module from: nothing wakes the loop then,
 * and main would go on to ask the thread for callbacks. So it is looked again, less and less often.
 */
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 1_000;

/**
 * Whether the actor has work of its own under way that needs the event loop: sockets, timers, reads. To ask Node takes
 * 0.1 µs and 15 ns for each open socket, so with many sockets the last answer holds for a while.
 */
export class OwnWork {
  readonly #lookAgain: () => void;
  #seen = false;
  #holdsUntil = 0;
  #lookMs = FIRST_LOOK_MS;
  #timer: NodeJS.Timeout | undefined;

  /** `lookAgain` is called when the answer may be another one by now. */
  constructor(lookAgain: () => void) {
    this.#lookAgain = lookAgain;
  }

  /**
   * `now` is `performance.now()`; `runtimesTimers` counts the timers of the loop itself. Never false while the actor
   * has work.
   */
  isUnderWay(now: number, runtimesTimers: number): boolean {
    if (this.#seen && now < this.#holdsUntil) {
      this.#lookIn(this.#holdsUntil - now);
      return true;
    }
    this.#seen = process.getActiveResourcesInfo().length > PORTS_TO_MAIN + runtimesTimers;
    const took = performance.now() - now;
    this.#holdsUntil = took > CHEAP_MS ? now + took * (1 + PAUSE) : 0;
    if (this.#seen) this.#lookIn(this.#lookMs);
    else this.#lookMs = FIRST_LOOK_MS;
    return this.#seen;
  }

  #lookIn(ms: number): void {
    // Unref: the timer is not work of the actor.
    this.#timer ??= setTimeout(this.#due, ms).unref();
  }

  readonly #due = (): void => {
    this.#timer = undefined;
    this.#lookMs = Math.min(LAST_LOOK_MS, 2 * this.#lookMs);
    this.#lookAgain();
  };
}
