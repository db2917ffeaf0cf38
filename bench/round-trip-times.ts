import type { Round } from "./contender.js";
import { latencyOf } from "./statistics.js";

/** Times round trips that follow one another: one clock read for each. */
export class RoundTripTimes {
  readonly #samplesUs: Float64Array;
  readonly #startedMs = performance.now();
  #lastMs = this.#startedMs;
  #count = 0;

  constructor(count: number) {
    this.#samplesUs = new Float64Array(count);
  }

  /** Leaves out what has passed since the last round trip: the next one starts now. */
  restart(): void {
    this.#lastMs = performance.now();
  }

  /** One more is done. True when it was the last. */
  done(): boolean {
    const nowMs = performance.now();
    this.#samplesUs[this.#count++] = (nowMs - this.#lastMs) * 1000;
    this.#lastMs = nowMs;
    return this.#count === this.#samplesUs.length;
  }

  round(): Round {
    return { work: this.#count, elapsedMs: this.#lastMs - this.#startedMs, latency: latencyOf(this.#samplesUs) };
  }
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread, so that the other threads go to sleep. */
export function pause(forMs: number): void {
  Atomics.wait(never, 0, 0, forMs);
}
