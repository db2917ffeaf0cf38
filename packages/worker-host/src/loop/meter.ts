import { performance } from "node:perf_hooks";
import { HistogramWriter } from "../protocol/memory/histogram.js";
import { STAMP_MASK } from "../protocol/memory/record-descriptor.js";
import {
  HANDLING_HISTOGRAM,
  LATENCY_HISTOGRAM,
  STAMP_ALL,
  WAIT_HISTOGRAM,
} from "../protocol/memory/slot-descriptor.js";
import { ticksAt, ticksToMs } from "../protocol/memory/ticks.js";

/** For a handler that takes longer every message is timed, because that costs it less than 0.2 µs of its time. */
const SLOW_MS = 0.01;
const UNTIMED = -1;

/**
 * Times messages for the actor's statistics. A clock read costs 50 ns, so a fast actor times only the messages that
 * carry a time stamp: every sixteenth, which also stands for those before it, and the one that woke the actor. A slow
 * actor times all messages, and asks their senders to stamp them all.
 */
export class Meter {
  readonly #words: Int32Array;
  readonly #epochMs: number;
  readonly #wait: HistogramWriter;
  readonly #handling: HistogramWriter;
  readonly #latency: HistogramWriter;
  #slow = true;
  #startMs = UNTIMED;
  #waitMs = UNTIMED;
  #weight = 1;
  /** Messages not timed since the last one that stands for others. */
  #skipped = 0;

  constructor(words: Int32Array, epochMs: number) {
    this.#words = words;
    this.#epochMs = epochMs;
    this.#wait = new HistogramWriter(words, WAIT_HISTOGRAM);
    this.#handling = new HistogramWriter(words, HANDLING_HISTOGRAM);
    this.#latency = new HistogramWriter(words, LATENCY_HISTOGRAM);
    // An actor counts as slow until its first message shows that it is fast.
    words[STAMP_ALL] = 1;
  }

  /** Before a message of the mailbox is handled: `enqueued` and `seq` come from its record. */
  begin(enqueued: number, seq: number): void {
    if (enqueued === 0 && !this.#slow) {
      this.#skipped++;
      this.#startMs = UNTIMED;
      return;
    }
    const now = performance.now();
    this.#startMs = now;
    this.#waitMs = enqueued === 0 ? UNTIMED : Math.max(0, ticksToMs(enqueued, ticksAt(now, this.#epochMs)));
    this.#weight = 1;
    if ((seq & STAMP_MASK) !== 0) return;
    this.#weight += this.#skipped;
    this.#skipped = 0;
  }

  /** Before a message is handled that does not come from the mailbox: a timer, a signal, a continuation. */
  beginOwn(): void {
    this.#startMs = this.#slow ? performance.now() : UNTIMED;
    this.#waitMs = UNTIMED;
    this.#weight = 1;
  }

  /** The message has been handled. */
  end(): void {
    if (this.#startMs === UNTIMED) return;
    const handlingMs = performance.now() - this.#startMs;
    this.#startMs = UNTIMED;
    this.#handling.add(handlingMs, this.#weight);
    if (this.#waitMs !== UNTIMED) {
      this.#wait.add(this.#waitMs, this.#weight);
      this.#latency.add(this.#waitMs + handlingMs, this.#weight);
    }
    const slow = handlingMs > SLOW_MS;
    if (slow === this.#slow) return;
    this.#slow = slow;
    this.#words[STAMP_ALL] = slow ? 1 : 0;
  }
}
