import { checkDelay, checkPeriod } from "@mini-otp/worker-host/protocol/options";
import type { Clock, Timer } from "../supervision/clock.js";

/** The `sendAfter` and `sendInterval` timers of an actor on this thread. */
export class InlineTimers {
  readonly #clock: Clock;
  readonly #fire: (method: string, args: unknown[]) => void;
  readonly #timers = new Map<number, Timer>();
  #lastId = 0;

  constructor(clock: Clock, fire: (method: string, args: unknown[]) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  after(delayMs: number, method: string, args: unknown[]): number {
    checkDelay("sendAfter", delayMs);
    const id = ++this.#lastId;
    const fire = (): void => {
      this.#timers.delete(id);
      this.#fire(method, args);
    };
    this.#timers.set(id, this.#clock.setTimer(delayMs, fire));
    return id;
  }

  every(periodMs: number, method: string, args: unknown[]): number {
    checkPeriod("sendInterval", periodMs);
    const id = ++this.#lastId;
    const fire = (): void => {
      this.#timers.set(id, this.#clock.setTimer(periodMs, fire));
      this.#fire(method, args);
    };
    this.#timers.set(id, this.#clock.setTimer(periodMs, fire));
    return id;
  }

  /** True when the timer was still to fire. */
  cancel(id: number): boolean {
    this.#timers.get(id)?.cancel();
    return this.#timers.delete(id);
  }

  clear(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
