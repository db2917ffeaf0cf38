import {
  acquire,
  attemptOf,
  CLAIMED_SEQ,
  CLAIMS,
  CURSOR,
  DATA_BYTES,
  DATA_OFFSET,
  DROPPED,
  formatOf,
  HANDLED_SEQ,
  HEAD,
  IDENTITY,
  IN_FLIGHT,
  IN_FLIGHT_OFFSET,
  identity,
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
  R_ENQUEUED,
  R_LENGTH,
  R_METHOD,
  R_SEQ,
  R_TYPE,
  RECORD_HEADER_WORDS,
  recordSpan,
  release,
  type SlotState,
  SPACE,
  STAMP_MASK,
  STATE_CLOSED,
  STATE_DRAINING,
  STATE_OPEN,
  stateOf,
  TAIL,
  TO_DELIVER_AGAIN,
  uidOf,
  wakeAll,
  withAttempt,
} from "@mini-otp/worker-host/protocol/memory";
import { FORMAT_PARCEL } from "@mini-otp/worker-host/protocol/ring";

/** An accepted message that will not be handled. */
export interface Undelivered {
  readonly kind: number;
  readonly method: number;
  /** The name of a method without a number. */
  readonly methodText: string | undefined;
  readonly attempts: number;
  /** Owner id and number of the parcel it stood for. */
  readonly parcel: readonly [owner: number, number: number] | undefined;
}

export interface MailboxCounts {
  readonly length: number;
  readonly bytes: number;
  readonly capacityBytes: number;
}

/** The first message that waits. */
export interface Oldest {
  readonly seq: number;
  /** When it, or one soon after it, was sent: see `R_ENQUEUED`. 0 when none of them says. */
  readonly enqueued: number;
}

/** Of so many records one carries its time. */
const RECORDS_PER_STAMP = STAMP_MASK + 1;
const LOOKS = 3;

const lane = MAILBOX_LANE;

/**
 * Main's hand on an actor's mailbox: open and close it, and stand in for the consumer while no thread
 * consumes. Nothing here waits.
 */
export class Mailbox {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #dataOffset: number;
  readonly #mask: number;

  /** What is dropped had been accepted. */
  get #dropsAccepted(): boolean {
    return this.#words[lane + IN_FLIGHT_OFFSET] !== 0;
  }

  constructor(words: Int32Array) {
    this.#words = words;
    this.#bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    this.#dataOffset = words[lane + DATA_OFFSET];
    this.#mask = words[lane + DATA_BYTES] - 1;
  }

  open(): void {
    this.#become(STATE_OPEN);
  }

  /** Refuses new messages; the consumer goes on with what was accepted. */
  drain(): void {
    this.#become(STATE_DRAINING);
    wakeAll(this.#words, lane + SPACE);
  }

  /** Refuses new messages, and replies too. */
  close(): void {
    this.#become(STATE_CLOSED);
    wakeAll(this.#words, lane + SPACE);
  }

  /**
   * True once no producer is inside that still saw the mailbox open: what is accepted now is all there will be.
   * False while one is; ask again later (its death would be repaired first).
   */
  get settled(): boolean {
    return Atomics.load(this.#words, lane + LOCK) === 0;
  }

  /** Nothing waits, nothing is being handled, and no producer is inside. */
  get isEmpty(): boolean {
    if (!this.settled) return false;
    const words = this.#words;
    return Atomics.load(words, lane + HEAD) === Atomics.load(words, lane + TAIL) && words[lane + IN_FLIGHT] === 0;
  }

  /** Requests with an earlier seq have been consumed, and are not to be delivered again. After `recover`. */
  get consumedBefore(): number {
    const words = this.#words;
    if (this.#dropsAccepted) {
      // Producers move the head too, and tell the callers of what they drop.
      const again = words[lane + IN_FLIGHT] === TO_DELIVER_AGAIN;
      return again ? words[(words[lane + IN_FLIGHT_OFFSET] >> 2) + R_SEQ] : words[lane + CLAIMED_SEQ];
    }
    const head = Atomics.load(words, lane + HEAD);
    // With nothing left, not the next seq: a producer counts a record before it publishes it.
    if (head === Atomics.load(words, lane + TAIL)) return words[lane + HANDLED_SEQ];
    return words[this.#at(head) + R_SEQ];
  }

  get nextSeq(): number {
    return this.#words[lane + NEXT_SEQ];
  }

  get handledSeq(): number {
    return this.#words[lane + HANDLED_SEQ];
  }

  /**
   * The consumer is dead, and the locks it may have died holding are not freed yet: decides on the message it was handling. With deliveries left it stays first in the
   * queue; without, it is taken out and returned.
   */
  recover(): Undelivered | undefined {
    const words = this.#words;
    if (words[lane + IN_FLIGHT_OFFSET] !== 0) return this.#recoverClaimed();
    const head = Atomics.load(words, lane + HEAD);
    const cursor = Atomics.load(words, lane + CURSOR);
    if (head === cursor) return undefined;
    const at = this.#skipPadding(head);
    const type = words[at + R_TYPE];
    const attempts = attemptOf(type) + 1;
    if (attempts < words[MAX_DELIVERIES]) {
      words[at + R_TYPE] = withAttempt(type, Math.min(attempts, MAX_ATTEMPT));
      Atomics.store(words, lane + CURSOR, head);
      return undefined;
    }
    const undelivered = this.#undelivered(at, attempts);
    words[lane + HANDLED_SEQ] = (words[at + R_SEQ] + 1) | 0;
    words[LOST]++;
    Atomics.store(words, lane + HEAD, cursor);
    wakeAll(words, lane + SPACE);
    return undelivered;
  }

  /** The same for a mailbox that drops its oldest, where the message in flight has left the ring. */
  #recoverClaimed(): Undelivered | undefined {
    const words = this.#words;
    const claimedAt = words[lane + IN_FLIGHT];
    // To be delivered again still: this incarnation died before it came to that.
    if (claimedAt === 0 || claimedAt === TO_DELIVER_AGAIN) return undefined;
    if (claimedAt === (Atomics.load(words, lane + HEAD) | 1)) {
      // Copied, but never taken out of the ring: it has not been delivered.
      words[lane + IN_FLIGHT] = 0;
      const seq = words[this.#skipPadding(claimedAt & ~7) + R_SEQ];
      if (words[lane + CLAIMED_SEQ] === ((seq + 1) | 0)) {
        words[lane + CLAIMED_SEQ] = seq;
        words[lane + CLAIMS]--;
      }
      return undefined;
    }
    const at = words[lane + IN_FLIGHT_OFFSET] >> 2;
    const type = words[at + R_TYPE];
    const attempts = attemptOf(type) + 1;
    if (attempts < words[MAX_DELIVERIES]) {
      words[at + R_TYPE] = withAttempt(type, Math.min(attempts, MAX_ATTEMPT));
      words[lane + IN_FLIGHT] = TO_DELIVER_AGAIN;
      return undefined;
    }
    words[lane + IN_FLIGHT] = 0;
    words[LOST]++;
    return this.#undelivered(at, attempts);
  }

  #undelivered(at: number, attempts: number): Undelivered {
    const words = this.#words;
    const type = words[at + R_TYPE];
    const payload = at + RECORD_HEADER_WORDS;
    const method = words[at + R_METHOD];
    return {
      kind: kindOf(type),
      method,
      methodText: method < 0 ? methodTextIn(method, this.#bytes, at * 4 + words[at + R_LENGTH]) : undefined,
      attempts,
      parcel: formatOf(type) === FORMAT_PARCEL ? [words[payload], words[payload + 1]] : undefined,
    };
  }

  /**
   * No consumer lives: takes everything out that waits. Nothing, when producers that drop the oldest move the head
   * too and the lock is not to be had (its owner is dying this moment): then it waits for the next incarnation.
   */
  takeAll(producer: Producer): Undelivered[] {
    if (!this.#dropsAccepted) return this.#takeAll();
    if (!acquire(this.#words, lane + LOCK, producer)) return [];
    const taken = this.#takeAll();
    release(this.#words, lane + LOCK);
    return taken;
  }

  #takeAll(): Undelivered[] {
    const words = this.#words;
    const taken: Undelivered[] = [];
    if (words[lane + IN_FLIGHT] !== 0) {
      words[lane + IN_FLIGHT] = 0;
      words[LOST]++;
      const at = words[lane + IN_FLIGHT_OFFSET] >> 2;
      taken.push(this.#undelivered(at, attemptOf(words[at + R_TYPE])));
    }
    const tail = Atomics.load(words, lane + TAIL);
    let position = Atomics.load(words, lane + HEAD);
    while (position !== tail) {
      const at = this.#at(position);
      const type = words[at + R_TYPE];
      position = (position + recordSpan(words[at + R_LENGTH])) | 0;
      if (kindOf(type) === KIND_PADDING) continue;
      taken.push(this.#undelivered(at, attemptOf(type)));
      words[lane + HANDLED_SEQ] = (words[at + R_SEQ] + 1) | 0;
      words[lane + CLAIMED_SEQ] = words[lane + HANDLED_SEQ];
      words[lane + CLAIMS]++;
      words[LOST]++;
    }
    Atomics.store(words, lane + CURSOR, tail);
    Atomics.store(words, lane + HEAD, tail);
    wakeAll(words, lane + SPACE);
    return taken;
  }

  counts(): MailboxCounts {
    const words = this.#words;
    const head = Atomics.load(words, lane + HEAD);
    const tail = Atomics.load(words, lane + TAIL);
    const cursor = Atomics.load(words, lane + CURSOR);
    // Read without the lock: a record overwritten meanwhile would give nonsense, so the count is kept in bounds.
    const waiting = cursor === tail ? 0 : (words[lane + NEXT_SEQ] - words[this.#at(cursor) + R_SEQ]) | 0;
    return {
      length: Math.max(0, Math.min(waiting, (tail - cursor) | 0)),
      bytes: (tail - head) | 0,
      capacityBytes: this.#mask + 1,
    };
  }

  /** How many messages were handled; an int32 that wraps. */
  get handled(): number {
    const words = this.#words;
    return ((this.#dropsAccepted ? words[lane + CLAIMS] : words[lane + HANDLED_SEQ]) - words[LOST]) | 0;
  }

  oldest(): Oldest | undefined {
    const words = this.#words;
    for (let look = 0; look < LOOKS; look++) {
      const cursor = Atomics.load(words, lane + CURSOR);
      const tail = Atomics.load(words, lane + TAIL);
      if (cursor === tail) return undefined;
      const oldest = this.#oldestFrom(cursor, tail);
      // Read without the lock: the consumer may have moved on, and a producer written over it.
      if (oldest !== undefined && Atomics.load(words, lane + CURSOR) === cursor) return oldest;
    }
    return undefined;
  }

  #oldestFrom(cursor: number, tail: number): Oldest | undefined {
    const words = this.#words;
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
    return stateOf(this.#words);
  }

  /** What the overflow policy has dropped; an int32 that wraps. For accepted messages: those that left the ring unclaimed, also where a thread died meanwhile. */
  get dropped(): number {
    const words = this.#words;
    if (!this.#dropsAccepted) return words[DROPPED];
    // In this order: a claim between the two reads makes it too few for the moment, never too many.
    const gone = Atomics.load(words, lane + HANDLED_SEQ);
    return (gone - words[lane + CLAIMS]) | 0;
  }

  #become(state: SlotState): void {
    Atomics.store(this.#words, IDENTITY, identity(uidOf(this.#words), state));
  }

  #at(position: number): number {
    return (this.#dataOffset + (position & this.#mask)) >> 2;
  }

  #skipPadding(position: number): number {
    const at = this.#at(position);
    return kindOf(this.#words[at + R_TYPE]) === KIND_PADDING ? this.#dataOffset >> 2 : at;
  }
}

/**
 * A producer died inside: its record may be written but not published, its seq counted or not. Counts afresh
 * from what is published.
 */
export function recount(words: Int32Array, ring: number): void {
  const tail = Atomics.load(words, ring + TAIL);
  const mask = words[ring + DATA_BYTES] - 1;
  let position = Atomics.load(words, ring + HEAD);
  let seq = words[ring + HANDLED_SEQ];
  let first: number | undefined;
  while (position !== tail) {
    const at = (words[ring + DATA_OFFSET] + (position & mask)) >> 2;
    if (words[ring + IN_FLIGHT_OFFSET] !== 0) first ??= words[at + R_SEQ];
    if (kindOf(words[at + R_TYPE]) !== KIND_PADDING) seq = (words[at + R_SEQ] + 1) | 0;
    position = (position + recordSpan(words[at + R_LENGTH])) | 0;
  }
  words[ring + NEXT_SEQ] = seq;
  // A producer that dropped records may have counted one whose place it had not given up yet.
  if (first !== undefined) words[ring + HANDLED_SEQ] = first;
}
