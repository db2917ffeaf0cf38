import { bucketStartMs, type HistogramReading } from "@mini-otp/runtime";
import type { Reading } from "./metric.js";

export type Labels = Readonly<Record<string, string | number>>;

/** As prom-client takes them. It formats an object of shared labels only once, which is most of what a scrape costs. */
export interface Sample {
  readonly labels: Labels;
  readonly sharedLabels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** Of the histogram's buckets every eighth is shown: 16 µs, 64 µs, … 17 s. */
const FIRST_SHOWN = 12;
const SHOWN_EVERY = 8;
const BOUNDS = Array.from({ length: 11 }, (_, i) => FIRST_SHOWN + i * SHOWN_EVERY).map((bucket) => ({
  bucket,
  labels: { le: bucketStartMs(bucket) / 1000 },
}));
const REST: Labels = { le: "+Inf" };

function isHistogram(reading: Reading): reading is HistogramReading {
  return typeof reading === "object" && Array.isArray(reading.counts);
}

/** Readings of one metric, of which there is at least one, as one. None of them is changed. */
export function combine(readings: readonly Reading[], together: "sum" | "max"): Reading {
  const [first] = readings;
  if (readings.length === 1) return first;
  if (typeof first === "number") {
    const numbers = readings as readonly number[];
    return numbers.reduce(together === "max" ? (a, b) => Math.max(a, b) : (a, b) => a + b);
  }
  if (isHistogram(first)) {
    const counts = first.counts.map(() => 0);
    let [sumMs, maxMs] = [0, 0];
    for (const reading of readings as readonly HistogramReading[]) {
      for (let i = 0; i < counts.length; i++) counts[i] += reading.counts[i];
      sumMs += reading.sumMs;
      maxMs = Math.max(maxMs, reading.maxMs);
    }
    return { counts, sumMs, maxMs };
  }
  const sums: Record<string, number> = {};
  for (const reading of readings as readonly Readonly<Record<string, number>>[]) {
    for (const key in reading) sums[key] = (sums[key] ?? 0) + reading[key];
  }
  return sums;
}

const NONE: Labels = {};

/** A reading as lines of the exposition. `by` is the label of its parts. */
export function* samplesOf(name: string, sharedLabels: Labels, reading: Reading, by = ""): Generator<Sample> {
  if (typeof reading === "number") {
    yield { labels: NONE, sharedLabels, value: reading };
  } else if (isHistogram(reading)) {
    const metricName = `${name}_bucket`;
    let count = 0;
    let next = 0;
    for (const { bucket, labels } of BOUNDS) {
      while (next < bucket) count += reading.counts[next++];
      yield { metricName, labels, sharedLabels, value: count };
    }
    while (next < reading.counts.length) count += reading.counts[next++];
    yield { metricName, labels: REST, sharedLabels, value: count };
    yield { metricName: `${name}_sum`, labels: NONE, sharedLabels, value: reading.sumMs / 1000 };
    yield { metricName: `${name}_count`, labels: NONE, sharedLabels, value: count };
  } else {
    for (const [key, value] of Object.entries(reading)) yield { labels: { [by]: key }, sharedLabels, value };
  }
}
