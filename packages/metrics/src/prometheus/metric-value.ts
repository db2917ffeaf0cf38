import { bucketStartMs, type HistogramReading } from "@mini-otp/runtime";
import type { MetricValue } from "./metric.js";

export type Labels = Readonly<Record<string, string | number>>;

/**
 * A sample in prom-client's form. All labels are in `sharedLabels`, because prom-client formats such an object only
 * once.
 */
export interface Sample {
  readonly labels: Labels;
  readonly sharedLabels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** Every eighth bucket of the histogram is shown: 16 µs, 64 µs, … 17 s. */
const FIRST_SHOWN = 12;
const SHOWN_EVERY = 8;
const BOUNDS = Array.from({ length: 11 }, (_, i) => FIRST_SHOWN + i * SHOWN_EVERY).map((bucket) => ({
  bucket,
  le: bucketStartMs(bucket) / 1000,
}));

function isHistogram(value: MetricValue): value is HistogramReading {
  return typeof value === "object" && Array.isArray(value.counts);
}

/** Combines at least one value of a metric into one. None of them is changed. */
export function combine(values: readonly MetricValue[], together: "sum" | "max"): MetricValue {
  const [first] = values;
  if (values.length === 1) return first;
  const both = (a: number, b: number): number => (together === "sum" ? a + b : Math.max(a, b));
  if (typeof first === "number") return (values as readonly number[]).reduce((a, b) => both(a, b));
  if (isHistogram(first)) {
    const counts = first.counts.map(() => 0);
    let [sumMs, maxMs] = [0, 0];
    for (const value of values as readonly HistogramReading[]) {
      for (let i = 0; i < counts.length; i++) counts[i] += value.counts[i];
      sumMs += value.sumMs;
      maxMs = Math.max(maxMs, value.maxMs);
    }
    return { counts, sumMs, maxMs };
  }
  const merged: Record<string, number> = {};
  for (const value of values as readonly Readonly<Record<string, number>>[]) {
    for (const key in value) merged[key] = both(merged[key] ?? 0, value[key]);
  }
  return merged;
}

const NONE: Labels = {};
/** The results of `withLabel`, by the labels of the series, then by the added label. */
const joined = new WeakMap<Labels, Map<string | number, Labels>>();

/** These labels and one more. Returns the same object every time. */
function withLabel(labels: Labels, name: string, value: string | number): Labels {
  const known = joined.get(labels) ?? new Map<string | number, Labels>();
  if (known.size === 0) joined.set(labels, known);
  // A number is the bound of a bucket, and needs no name in the key. Most labels are such bounds.
  const key = typeof value === "number" ? value : `${name} ${value}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const more = { [name]: value, ...labels };
  known.set(key, more);
  return more;
}

/** Adds the samples of a value. `by` is the label that tells its parts apart. */
export function addSamples(to: Sample[], name: string, labels: Labels, value: MetricValue, by = ""): void {
  if (typeof value === "number") {
    to.push({ labels: NONE, sharedLabels: labels, value });
  } else if (isHistogram(value)) {
    const metricName = `${name}_bucket`;
    let count = 0;
    let next = 0;
    for (const { bucket, le } of BOUNDS) {
      while (next < bucket) count += value.counts[next++];
      to.push({ metricName, labels: NONE, sharedLabels: withLabel(labels, "le", le), value: count });
    }
    while (next < value.counts.length) count += value.counts[next++];
    to.push({ metricName, labels: NONE, sharedLabels: withLabel(labels, "le", "+Inf"), value: count });
    to.push({ metricName: `${name}_sum`, labels: NONE, sharedLabels: labels, value: value.sumMs / 1000 });
    to.push({ metricName: `${name}_count`, labels: NONE, sharedLabels: labels, value: count });
  } else {
    for (const key of Object.keys(value)) {
      to.push({ labels: NONE, sharedLabels: withLabel(labels, by, key), value: value[key] });
    }
  }
}
