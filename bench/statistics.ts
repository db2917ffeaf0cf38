import type { Latency } from "./contender.js";

/** The value below which the share `q` of `sorted` lies. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[upper] : (sorted[upper - 1] + sorted[upper]) / 2;
}

/** Sorts `samplesUs` in place. */
export function latencyOf(samplesUs: Float64Array): Latency {
  samplesUs.sort();
  return { medianUs: quantile(samplesUs, 0.5), p99Us: quantile(samplesUs, 0.99) };
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
