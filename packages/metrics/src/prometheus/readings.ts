import { bucketStartMs, type HistogramReading } from "@mini-otp/runtime";
import type { Reading } from "./metric.js";

export type Labels = Readonly<Record<string, string | number>>;

/** As prom-client takes them. It formats an object of shared labels only once: all labels are in those. */
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
  le: bucketStartMs(bucket) / 1000,
}));

function isHistogram(reading: Reading): reading is HistogramReading {
  return typeof reading === "object" && Array.isArray(reading.counts);
}

/** Readings of one metric, of which there is at least one, as one. None of them is changed. */
export function combine(readings: readonly Reading[], together: "sum" | "max"): Reading {
  const [first] = readings;
  if (readings.length === 1) return first;
  const both = (a: number, b: number): number => (together === "sum" ? a + b : Math.max(a, b));
  if (typeof first === "number") return (readings as readonly number[]).reduce((a, b) => both(a, b));
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
  const merged: Record<string, number> = {};
  for (const reading of readings as readonly Readonly<Record<string, number>>[]) {
    for (const key in reading) merged[key] = both(merged[key] ?? 0, reading[key]);
  }
  return merged;
}

const NONE: Labels = {};
/** By the labels of a series, then by the one more. */
const joined = new WeakMap<Labels, Map<string | number, Labels>>();

/** These labels and one more: the same object every time. */
function withLabel(labels: Labels, name: string, value: string | number): Labels {
  const known = joined.get(labels) ?? new Map<string | number, Labels>();
  if (known.size === 0) joined.set(labels, known);
  // A number is the bound of a bucket, and those are most.
  const key = typeof value === "number" ? value : `${name} ${value}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const more = { [name]: value, ...labels };
  known.set(key, more);
  return more;
}

/** Adds a reading to the lines of the exposition. `by` is the label of its parts. */
export function addSamples(to: Sample[], name: string, labels: Labels, reading: Reading, by = ""): void {
  if (typeof reading === "number") {
    to.push({ labels: NONE, sharedLabels: labels, value: reading });
  } else if (isHistogram(reading)) {
    const metricName = `${name}_bucket`;
    let count = 0;
    let next = 0;
    for (const { bucket, le } of BOUNDS) {
      while (next < bucket) count += reading.counts[next++];
      to.push({ metricName, labels: NONE, sharedLabels: withLabel(labels, "le", le), value: count });
    }
    while (next < reading.counts.length) count += reading.counts[next++];
    to.push({ metricName, labels: NONE, sharedLabels: withLabel(labels, "le", "+Inf"), value: count });
    to.push({ metricName: `${name}_sum`, labels: NONE, sharedLabels: labels, value: reading.sumMs / 1000 });
    to.push({ metricName: `${name}_count`, labels: NONE, sharedLabels: labels, value: count });
  } else {
    for (const key of Object.keys(reading)) {
      to.push({ labels: NONE, sharedLabels: withLabel(labels, by, key), value: reading[key] });
    }
  }
}
