import { performance } from "node:perf_hooks";

/**
 * The system's clock as one int32, in 1/64 ms since the system started. It wraps, so only the difference of two
 * readings less than 9 hours apart means anything. `process.hrtime` is one monotonic clock for all threads;
 * `performance.now` is cheaper but starts with its thread, so the offset between them is taken once.
 */
const TICKS_PER_MS = 64;

export function hrtimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

const offsetMs = hrtimeMs() - performance.now();

/** Now, in ticks since `epochMs` (an `hrtimeMs` reading). Never 0, which means "not stamped". */
export function ticksSince(epochMs: number): number {
  return ticksAt(performance.now(), epochMs);
}

/** The same at a `performance.now()` of this thread. */
export function ticksAt(nowMs: number, epochMs: number): number {
  return ((nowMs + offsetMs - epochMs) * TICKS_PER_MS) | 1;
}

/** Milliseconds from one tick reading to a later one. */
export function ticksToMs(from: number, to: number): number {
  return ((to - from) | 0) / TICKS_PER_MS;
}
