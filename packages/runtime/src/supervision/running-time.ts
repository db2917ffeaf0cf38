import type { Clock, Timer } from "./clock.js";

/** How often time is taken. Of a longer gap between two looks only this much counts. */
const SLICE_MS = 100;
/** A look that is late by more than this was kept from happening: main was busy, or the process was stopped. */
const LATE_MS = 20;

/**
 * Calls `fn` once main has run for `ms`. Time in which main was blocked does not count, since what it waits for may
 * have arrived meanwhile and is read only after the timers. So after such a time there is a further slice, and only one
 * when main is blocked again in that: the wait is always bounded.
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
