import { setImmediate } from "node:timers/promises";
import { aFunction, aNumber, duration, takeArgument } from "@mini-otp/worker-host/protocol/options";
import type { Clock } from "./clock.js";

export interface VirtualClock extends Clock {
  /** Timers that are set and have not been called yet. */
  readonly pendingTimers: number;
  /**
   * Moves time on and calls every timer that comes due on the way, each at its own moment. Resolves when all that
   * they set off on this thread has settled.
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

  /** Of several due at the same moment, the one set first. */
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
