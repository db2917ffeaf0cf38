import { field, MAX_TIMER_MS } from "@mini-otp/worker-host/protocol/options";

/** A timer of a `Clock`. */
export interface Timer {
  cancel(): void;
}

/** The source of a supervisor's time. */
export interface Clock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Calls `fn` once, `ms` from now, never synchronously. A pending timer keeps the process alive. */
  setTimer(ms: number, fn: () => void): Timer;
}

/** A clock that a test passes in place of the machine's. */
export const aClock = field(
  "a clock, with now and setTimer: virtualClock()",
  (clock) => typeof clock?.now === "function" && typeof clock.setTimer === "function",
);

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(ms, fn) {
    // Negative when a deadline has passed already; Node 24 and later print a warning for a negative time.
    const timer = setTimeout(fn, Math.max(0, Math.min(ms, MAX_TIMER_MS)));
    return { cancel: () => clearTimeout(timer) };
  },
};
