import type { Clock, Timer } from "./clock.js";

/** The earliest of the limits that were set so far, and what happens at that moment. It never moves to a later one. */
export class Deadline {
  readonly #clock: Clock;
  readonly #due: (() => void) | undefined;
  #atMs = Infinity;
  #timer: Timer | undefined;

  /** `due` is called once the earliest limit has passed, never synchronously. Without it there is no timer. */
  constructor(clock: Clock, due?: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** Clock time in ms; Infinity: there is no limit yet. */
  get atMs(): number {
    return this.#atMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#atMs - this.#clock.now());
  }

  /** Sets a further limit. Returns whether it is earlier than those before; otherwise nothing changes. */
  drawIn(atMs: number): boolean {
    if (!(atMs < this.#atMs)) return false;
    this.#atMs = atMs;
    this.cancel();
    if (this.#due !== undefined) this.#timer = this.#clock.setTimer(this.leftMs, this.#due);
    return true;
  }

  /** `due` is not called any more, unless an earlier limit is set. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
