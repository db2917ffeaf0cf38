/** Every actor's thread has one open: the port to main. */
const PORTS_TO_MAIN = 1;
/** A look that takes no longer costs less than the sleep that follows it. */
const CHEAP_MS = 0.005;
/**
 * A slower look is not repeated before this many times its duration, so looks take at most 2 % of the thread's time.
 */
const PAUSE = 50;

/**
 * Whether the actor has work of its own under way that needs the event loop: sockets, timers, reads. To ask Node takes
 * 0.1 µs and 15 ns for each open socket, so with many sockets the last answer holds for a while.
 */
export class OwnWork {
  readonly #lookAgain: () => void;
  #seen = false;
  #holdsUntil = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `lookAgain` is called when a kept answer has grown old. */
  constructor(lookAgain: () => void) {
    this.#lookAgain = lookAgain;
  }

  /**
   * `now` is `performance.now()`; `runtimesTimers` counts the timers of the loop itself. Never false while the actor
   * has work.
   */
  isUnderWay(now: number, runtimesTimers: number): boolean {
    if (this.#seen && now < this.#holdsUntil) {
      // Unref: the timer is not work of the actor.
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
