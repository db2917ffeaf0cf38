/**
 * The system's clock as one int32: 1/64 ms since the system started. Wraps after 18 hours in either
 * direction, so only differences mean anything. `process.hrtime` is one monotonic clock for all threads;
 * `performance.now` is cheaper and starts with its thread, so the offset is taken once.
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

/** The same for a `performance.now()` of this thread. */
export function ticksAt(nowMs: number, epochMs: number): number {
  return ((nowMs + offsetMs - epochMs) * TICKS_PER_MS) | 1;
}

/** Milliseconds from one tick reading to a later one. */
export function ticksToMs(from: number, to: number): number {
  return ((to - from) | 0) / TICKS_PER_MS;
}
