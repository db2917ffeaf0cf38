import {
  attemptOf,
  CURSOR,
  countGone,
  countLost,
  DATA_BYTES,
  DATA_OFFSET,
  DROPPED,
  emptyUpTo,
  formatOf,
  HANDLED_SEQ,
  HEAD,
  KIND_PADDING,
  kindOf,
  LOCK,
  LOST,
  MAILBOX_LANE,
  MAX_ATTEMPT,
  MAX_DELIVERIES,
  methodTextIn,
  NEXT_SEQ,
  type Producer,
  passRecord,
  R_ENQUEUED,
  R_LENGTH,
  R_METHOD,
  R_SEQ,
  R_TYPE,
  RECORD_HEADER_WORDS,
  recordSpan,
  returnRecord,
  type SlotState,
  SPACE,
  STAMP_MASK,
  STATE_CLOSED,
  STATE_DRAINING,
  STATE_OPEN,
  setState,
  stateOf,
  TAIL,
  wakeAll,
  withAttempt,
} from "@mini-otp/worker-host/protocol/memory";
import { FORMAT_MEMBER, FORMAT_PARCEL, PARCEL_TARGET } from "@mini-otp/worker-host/protocol/ring";

/** An accepted message that will not be handled. */
export interface Undelivered {
  readonly kind: number;
  readonly method: number;
  /** The name of a method without a number. */
  readonly methodText: string | undefined;
  readonly attempts: number;
  /** When the record was a placeholder. `target`: owner id of the thread to which the sender posts it; 0 for main. */
  readonly parcel: { readonly owner: number; readonly number: number; readonly target: number } | undefined;
}

interface MailboxCounts {
  readonly length: number;
  readonly bytes: number;
  readonly capacityBytes: number;
}

/** The first waiting message. */
export interface Oldest {
  readonly seq: number;
  /** When it, or a message soon after it, was sent, see `R_ENQUEUED`; 0 when none of them is stamped. */
  readonly enqueued: number;
}

/** A record that ends each thread that decodes it is taken in so often. */
const TAKEN_IN_TWICE = 2;
/** One record in this many is stamped at least. */
const RECORDS_PER_STAMP = STAMP_MASK + 1;
const LOOKS = 3;

const lane = MAILBOX_LANE;

/**
 * An actor's mailbox as main handles it: main opens and closes it, reads its counts, and does the consumer's part while
 * no thread consumes. Nothing here waits.
 */
export class Mailbox {
  protected readonly words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #dataOffset: number;
  readonly #mask: number;

  constructor(words: Int32Array) {
    this.words = words;
    this.#bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    this.#dataOffset = words[lane + DATA_OFFSET];
    this.#mask = words[lane + DATA_BYTES] - 1;
  }

  open(): void {
    this.#become(STATE_OPEN);
  }

  /** Refuses new messages. The consumer still handles the accepted ones. */
  drain(): void {
    this.#become(STATE_DRAINING);
    wakeAll(this.words, lane + SPACE);
  }

  /** Refuses new messages and replies. */
  close(): void {
    this.#become(STATE_CLOSED);
    wakeAll(this.words, lane + SPACE);
  }

  /**
   * After `drain` or `close`: true once no producer is inside that still saw the mailbox open, so no further message
   * will be accepted. False while one is; then ask again later. If it has died, its lock is freed first.
   */
  get settled(): boolean {
    return Atomics.load(this.words, lane + LOCK) === 0;
  }

  /** True when no message waits, none is being handled, and no producer is inside. */
  get isEmpty(): boolean {
    if (!this.settled) return false;
    const words = this.words;
    return Atomics.load(words, lane + HEAD) === Atomics.load(words, lane + TAIL);
  }

  /** Requests with an earlier seq have been consumed, and will not be delivered again. Valid after `recover`. */
  get consumedBefore(): number {
    const words = this.words;
    const head = Atomics.load(words, lane + HEAD);
    // For an empty ring not NEXT_SEQ, because a producer counts a record before it publishes it.
    if (head === Atomics.load(words, lane + TAIL)) return words[lane + HANDLED_SEQ];
    return words[this.#at(head) + R_SEQ];
  }

  get nextSeq(): number {
    return this.words[lane + NEXT_SEQ];
  }

  get handledSeq(): number {
    return this.words[lane + HANDLED_SEQ];
  }

  /**
   * Decides on the message that a dead consumer was handling, before its locks are freed. A message with deliveries
   * left stays the first in the queue; without, it is taken out and returned.
   */
  recover(): Undelivered | undefined {
    const words = this.words;
    const head = Atomics.load(words, lane + HEAD);
    const cursor = Atomics.load(words, lane + CURSOR);
    if (head === cursor) return undefined;
    const at = this.skipPadding(head);
    const type = words[at + R_TYPE];
    const attempts = attemptOf(type) + 1;
    // One for a light actor was being taken in, not handled: its partition's next thread knows whether it has it already.
    const isTakenIn = (formatOf(type) & FORMAT_MEMBER) !== 0;
    if (attempts < (isTakenIn ? TAKEN_IN_TWICE : words[MAX_DELIVERIES])) {
      words[at + R_TYPE] = withAttempt(type, Math.min(attempts, MAX_ATTEMPT));
      returnRecord(words, lane, head);
      return undefined;
    }
    const undelivered = this.undeliveredAt(at, attempts);
    countLost(words);
    passRecord(words, lane, words[at + R_SEQ], cursor);
    wakeAll(words, lane + SPACE);
    return undelivered;
  }

  protected undeliveredAt(at: number, attempts: number): Undelivered {
    const words = this.words;
    const type = words[at + R_TYPE];
    const payload = at + RECORD_HEADER_WORDS;
    const method = words[at + R_METHOD];
    return {
      kind: kindOf(type),
      method,
      methodText: method < 0 ? methodTextIn(method, this.#bytes, at * 4 + words[at + R_LENGTH]) : undefined,
      attempts,
      parcel:
        formatOf(type) === FORMAT_PARCEL
          ? { owner: words[payload], number: words[payload + 1], target: words[payload + PARCEL_TARGET] }
          : undefined,
    };
  }

  /** Takes out all messages that wait, while no consumer lives. A DroppingMailbox takes its lock for `producer`. */
  takeAll(_producer: Producer): Undelivered[] {
    const words = this.words;
    const taken: Undelivered[] = [];
    const tail = Atomics.load(words, lane + TAIL);
    let position = Atomics.load(words, lane + HEAD);
    while (position !== tail) {
      const at = this.#at(position);
      const type = words[at + R_TYPE];
      position = (position + recordSpan(words[at + R_LENGTH])) | 0;
      if (kindOf(type) === KIND_PADDING) continue;
      taken.push(this.undeliveredAt(at, attemptOf(type)));
      countGone(words, lane, words[at + R_SEQ]);
      countLost(words);
    }
    emptyUpTo(words, lane, tail);
    wakeAll(words, lane + SPACE);
    return taken;
  }

  counts(): MailboxCounts {
    const words = this.words;
    const head = Atomics.load(words, lane + HEAD);
    const tail = Atomics.load(words, lane + TAIL);
    const cursor = Atomics.load(words, lane + CURSOR);
    // Read without the lock: a record that is overwritten meanwhile gives nonsense, so the count is kept in bounds.
    const waiting = cursor === tail ? 0 : (words[lane + NEXT_SEQ] - words[this.#at(cursor) + R_SEQ]) | 0;
    return {
      length: Math.max(0, Math.min(waiting, (tail - cursor) | 0)),
      bytes: (tail - head) | 0,
      capacityBytes: this.#mask + 1,
    };
  }

  /** Number of handled messages; an int32 that wraps. */
  get handled(): number {
    return (this.words[lane + HANDLED_SEQ] - this.words[LOST]) | 0;
  }

  oldest(): Oldest | undefined {
    const words = this.words;
    for (let look = 0; look < LOOKS; look++) {
      const cursor = Atomics.load(words, lane + CURSOR);
      const tail = Atomics.load(words, lane + TAIL);
      if (cursor === tail) return undefined;
      const oldest = this.#oldestFrom(cursor, tail);
      // Read without the lock: when the consumer has moved on, a producer may have written over the record.
      if (oldest !== undefined && Atomics.load(words, lane + CURSOR) === cursor) return oldest;
    }
    return undefined;
  }

  #oldestFrom(cursor: number, tail: number): Oldest | undefined {
    const words = this.words;
    let seq: number | undefined;
    let position = cursor;
    for (let records = 0; records < RECORDS_PER_STAMP && position !== tail; ) {
      const at = this.#at(position);
      const length = words[at + R_LENGTH];
      if (length <= 0 || length > this.#mask + 1) return undefined;
      position = (position + recordSpan(length)) | 0;
      if (kindOf(words[at + R_TYPE]) === KIND_PADDING) continue;
      seq ??= words[at + R_SEQ];
      if (words[at + R_ENQUEUED] !== 0) return { seq, enqueued: words[at + R_ENQUEUED] };
      records++;
    }
    return seq === undefined ? undefined : { seq, enqueued: 0 };
  }

  get state(): SlotState {
    return stateOf(this.words);
  }

  /** Number of messages that the overflow policy has dropped; an int32 that wraps. */
  get dropped(): number {
    return this.words[DROPPED];
  }

  #become(state: SlotState): void {
    setState(this.words, state);
  }

  #at(position: number): number {
    return (this.#dataOffset + (position & this.#mask)) >> 2;
  }

  protected skipPadding(position: number): number {
    const at = this.#at(position);
    return kindOf(this.words[at + R_TYPE]) === KIND_PADDING ? this.#dataOffset >> 2 : at;
  }
}
