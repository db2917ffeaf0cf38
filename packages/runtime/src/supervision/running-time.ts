import type { Clock, Timer } from "./clock.js";

/** How often the time is taken. When two looks are further apart, only this much counts. */
const SLICE_MS = 100;
/** A look that is later than this was delayed, because main was busy or the process was stopped. */
const LATE_MS = 20;

/**
 * Calls `fn` once main has run for `ms`. Time in which main was blocked does not count, because the event that `fn`
 * gives up on may have arrived meanwhile, and the event loop reads it only after the timers. So a blocked time is
 * followed by one more slice. If main is blocked again in that slice, no further slice is added: the wait is always
 * bounded.
 */
export function afterRunning(clock: Clock, ms: number, fn: () => void): Timer {
  let leftMs = ms;
  let wasLate = false;
  let timer: Timer;
  const wait = (): void => {
    const plannedMs = Math.min(leftMs, SLICE_MS);
    const sinceMs = clock.now();
    timer = clock.setTimer(plannedMs, () => {
      const tookMs = clock.now() - sinceMs;
      const isLate = tookMs > plannedMs + LATE_MS;
      leftMs -= Math.min(tookMs, plannedMs);
      if (isLate && !wasLate) leftMs = Math.max(leftMs, Math.min(ms, SLICE_MS));
      wasLate = isLate;
      if (leftMs > 0) wait();
      else fn();
    });
  };
  wait();
  return { cancel: () => timer.cancel() };
}
