import {
  HISTOGRAM_WORDS,
  type HistogramReading,
  HistogramWriter,
  readHistogram,
} from "@mini-otp/worker-host/protocol/memory";
import type { Bucket, BucketEntry } from "./engine.js";

/** A bucket whose answers are timed. */
export class MeteredBucket implements Bucket {
  readonly #bucket: Bucket;
  readonly #words = new Int32Array(HISTOGRAM_WORDS);
  readonly #times = new HistogramWriter(this.#words, 0);
  #failures = 0;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** How long answers have taken, and how many were none. */
  get readings(): { readonly answers: HistogramReading; readonly failures: number } {
    return { answers: readHistogram(this.#words, 0), failures: this.#failures };
  }

  read(key: string): Promise<BucketEntry | undefined> {
    return this.#timed(this.#bucket.read(key));
  }

  write(key: string, value: unknown, revision: number | undefined): Promise<number | undefined> {
    return this.#timed(this.#bucket.write(key, value, revision));
  }

  remove(key: string, revision: number): Promise<boolean> {
    return this.#timed(this.#bucket.remove(key, revision));
  }

  list(prefix: string): Promise<BucketEntry[]> {
    return this.#timed(this.#bucket.list(prefix));
  }

  watch(change: (key: string, entry: BucketEntry | undefined) => void, missed: (reset: boolean) => void): void {
    this.#bucket.watch(change, missed);
  }

  behind(): void {
    this.#bucket.behind();
  }

  async #timed<T>(asked: Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      const answer = await asked;
      this.#times.add(performance.now() - from, 1);
      return answer;
    } catch (error) {
      this.#failures++;
      throw error;
    }
  }
}
