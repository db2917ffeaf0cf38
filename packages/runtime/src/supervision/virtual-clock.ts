import { setImmediate } from "node:timers/promises";
import { aFunction, aNumber, duration, takeArgument } from "@mini-otp/worker-host/protocol/options";
import type { Clock } from "./clock.js";

/** A clock whose time passes when the test says so. */
export interface VirtualClock extends Clock {
  /** How many timers are set and have not been called yet. */
  readonly pendingTimers: number;
  /**
   * Advances the time by `ms` and calls every timer that comes due meanwhile, each at its own time. Resolves when
   * everything that they started on this thread has settled.
   */
  advance(ms: number): Promise<void>;
}

interface PendingTimer {
  readonly at: number;
  readonly fn: () => void;
}

const advanceMs = duration("a number of ms, 0 or more");

/** A clock that stands still until it is told to `advance`. Starts at 0. */
export function virtualClock(): VirtualClock {
  let now = 0;
  const pending = new Set<PendingTimer>();

  /** The next timer that is due by `end`; of several due at the same time, the one that was set first. */
  const nextUntil = (end: number) => {
    let next: PendingTimer | undefined;
    for (const timer of pending) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  };

  return {
    get pendingTimers() {
      return pending.size;
    },
    now: () => now,
    setTimer(ms, fn) {
      takeArgument("setTimer", "ms", ms, aNumber, true);
      takeArgument("setTimer", "fn", fn, aFunction);
      const timer = { at: now + Math.max(0, ms), fn };
      pending.add(timer);
      return { cancel: () => pending.delete(timer) };
    },
    async advance(ms) {
      takeArgument("advance", "ms", ms, advanceMs, true);
      const end = now + ms;
      // A turn of the event loop lets promises settle: they may set timers that are due before `end`.
      for (await setImmediate(); ; await setImmediate()) {
        const timer = nextUntil(end);
        if (timer === undefined) break;
        pending.delete(timer);
        now = Math.max(now, timer.at);
        timer.fn();
      }
      now = Math.max(now, end);
    },
  };
}
