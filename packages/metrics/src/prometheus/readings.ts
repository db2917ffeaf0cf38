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
  return typeof reading === "object" && reading.counts instanceof Uint32Array;
}

/** Two readings of one metric as one. Neither is changed. */
export function combine<R extends Reading>(a: R | undefined, b: R, together: "sum" | "max"): R {
  if (a === undefined) return b;
  const both = (x: number, y: number): number => (together === "sum" ? x + y : Math.max(x, y));
  if (typeof a === "number") return both(a, b as number) as R;
  if (isHistogram(a)) {
    const other = b as HistogramReading;
    const counts = a.counts.slice();
    for (let i = 0; i < counts.length; i++) counts[i] += other.counts[i];
    return {
      counts,
      sumMs: a.sumMs + other.sumMs,
      maxMs: Math.max(a.maxMs, other.maxMs),
    } as Reading as R;
  }
  const counts = b as Readonly<Record<string, number>>;
  const merged: Record<string, number> = { ...(a as Readonly<Record<string, number>>) };
  for (const [key, value] of Object.entries(counts)) merged[key] = both(merged[key] ?? 0, value);
  return merged as R;
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
