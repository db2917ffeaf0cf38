/*
 * A histogram of durations in shared memory: one thread writes, any may read at any time.
 *
 *   +0  sum, ms     ┐ 64-bit floats: an aligned store of 8 bytes is one on every platform Node runs on
 *   +2  longest, ms ┘
 *   +4  120 buckets, int32 counts
 *
 * Buckets 0–7 are whole microseconds. From 8 µs on, four buckets cover each doubling, so that a duration is known to
 * within a fifth. The last bucket holds durations of more than half an hour.
 */
import { aNumber, takeArgument } from "../options/fields.js";

export const BUCKETS = 120;
const FIRST_BUCKET = 4;
/** What a histogram takes. */
export const HISTOGRAM_WORDS = FIRST_BUCKET + BUCKETS;
const LINEAR = 8;
const MAX_US = 0x7fff_ffff;

/** The bucket of a duration. */
export function bucketOf(ms: number): number {
  const us = ms * 1000 >= MAX_US ? MAX_US : (ms * 1000) | 0;
  if (us < LINEAR) return Math.max(0, us);
  const exponent = 31 - Math.clz32(us);
  return LINEAR + (exponent - 3) * 4 + ((us >> (exponent - 2)) & 3);
}

/** The start of a bucket in ms, which is the end of the one before. Throws ERR_INVALID_OPTION for what is no number. */
export function bucketStartMs(bucket: number): number {
  if (typeof bucket !== "number") takeArgument("bucketStartMs", "bucket", bucket, aNumber);
  if (bucket < LINEAR) return bucket / 1000;
  const step = bucket - LINEAR;
  return ((4 + (step & 3)) * 2 ** ((step >> 2) + 1)) / 1000;
}

/** Writes a histogram. One thread only. */
export class HistogramWriter {
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #buckets: number;

  /** `start` is the histogram's first word, an even one. */
  constructor(words: Int32Array, start: number) {
    this.#words = words;
    this.#floats = floatsAt(words, start, 2);
    this.#buckets = start + FIRST_BUCKET;
  }

  /** Records a duration that was measured once and stands for `weight` messages. */
  add(ms: number, weight: number): void {
    this.#words[this.#buckets + bucketOf(ms)] += weight;
    this.#floats[0] += ms * weight;
    if (ms > this.#floats[1]) this.#floats[1] = ms;
  }
}

/** A copy of a histogram. */
export interface HistogramReading {
  /** Number of durations, by bucket. */
  readonly counts: readonly number[];
  readonly sumMs: number;
  readonly maxMs: number;
}

export function readHistogram(words: Int32Array, start: number): HistogramReading {
  const counts = new Array<number>(BUCKETS);
  const first = start + FIRST_BUCKET;
  for (let i = 0; i < BUCKETS; i++) counts[i] = words[first + i] >>> 0;
  return { counts, sumMs: floatAt(words, start), maxMs: floatAt(words, start + 2) };
}

/** The q-quantile in ms, as the middle of its bucket. 0 for an empty histogram. */
export function quantileMs({ counts, maxMs }: HistogramReading, q: number): number {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return 0;
  let bucket = 0;
  for (let left = Math.ceil(total * q) - counts[0]; left > 0; left -= counts[bucket]) bucket++;
  return Math.min(maxMs, (bucketStartMs(bucket) + bucketStartMs(bucket + 1)) / 2);
}

const views = new WeakMap<Int32Array, Float64Array>();

/** The 64-bit float at an even word. */
export function floatAt(words: Int32Array, start: number): number {
  let view = views.get(words);
  if (view === undefined) {
    view = new Float64Array(words.buffer, words.byteOffset, words.length >> 1);
    views.set(words, view);
  }
  return view[start >> 1];
}

/** The words from `start` on as 64-bit floats. */
export function floatsAt(words: Int32Array, start: number, count: number): Float64Array {
  return new Float64Array(words.buffer, words.byteOffset + start * 4, count);
}
