import { ring } from "../memory/doorbell.js";
import { countGone, emptyUpTo } from "../memory/lane-transitions.js";
import {
  FORMAT_SHIFT,
  KIND_PADDING,
  kindOf,
  R_CORRELATION,
  R_ENQUEUED,
  R_LENGTH,
  R_METHOD,
  R_SENDER_ADDRESS,
  R_SENDER_UID,
  R_SEQ,
  R_TYPE,
  RECORD_HEADER_BYTES,
  RECORD_HEADER_WORDS,
  recordSpan,
  STAMP_MASK,
} from "../memory/record-descriptor.js";
import { acquire, type Producer, release } from "../memory/ring-lock.js";
import type { SlotMemory } from "../memory/segments.js";
import {
  CAPACITY,
  CURSOR,
  DATA_BYTES,
  DATA_OFFSET,
  HEAD,
  IDENTITY,
  IN_FLIGHT_OFFSET,
  identity,
  LOCK,
  MAILBOX_LANE,
  MOVED_TO,
  NEXT_SEQ,
  PARKED,
  SEEN_HEAD,
  SEEN_SEQ,
  STAMP_ALL,
  STATE_DRAINING,
  STATE_MOVED,
  STATE_OPEN,
  TAIL,
} from "../memory/slot-descriptor.js";
import { ticksSince } from "../memory/ticks.js";
import { copyIn, type Payload } from "./payload.js";

/** Outcomes of a push. */
export const PUSHED = 0;
export const FULL = 1;
/** The slot is draining or closed, or belongs to another actor by now. */
export const CLOSED = 2;
/** This thread did not get the lock within its patience. Nothing was written. */
export const BUSY = 3;

/** The producing side of one lane of one slot, for one thread. */
export class RingWriter {
  /**
   * Seq of the record pushed last. Compared with the callee's consumed seq it says whether a call can still be
   * answered.
   */
  lastSeq = 0;
  /**
   * Records that `push` dropped to make room: header and first two words of the payload, or all of a record whose
   * method is text. The caller empties it.
   */
  readonly dropped: Int32Array[] = [];

  #words: Int32Array;
  #bytes: Uint8Array;
  readonly #producer: Producer;
  readonly #lane: number;
  readonly #uid: number;
  readonly #open: number;
  readonly #alsoOpen: number;
  readonly #slotAt: ((address: number) => SlotMemory) | undefined;
  readonly #dataOffset: number;
  readonly #dataBytes: number;
  readonly #capacity: number;
  readonly #dropsOldest: boolean;

  /** `slotAt` gives the memory at the address that an actor has moved to. */
  constructor(
    memory: SlotMemory,
    lane: number,
    uid: number,
    producer: Producer,
    slotAt?: (address: number) => SlotMemory,
  ) {
    const words = memory.words;
    this.#uid = uid;
    this.#slotAt = slotAt;
    this.#words = words;
    this.#bytes = memory.bytes;
    this.#producer = producer;
    this.#lane = lane;
    this.#open = identity(uid, STATE_OPEN);
    // While an actor drains, replies still reach it, and messages do not.
    this.#alsoOpen = lane === MAILBOX_LANE ? this.#open : identity(uid, STATE_DRAINING);
    this.#dataOffset = words[lane + DATA_OFFSET];
    this.#dataBytes = words[lane + DATA_BYTES];
    this.#capacity = words[lane + CAPACITY];
    this.#dropsOldest = words[lane + IN_FLIGHT_OFFSET] !== 0;
  }

  /** The words of the slot, where it is now. */
  get words(): Int32Array {
    return this.#words;
  }

  /** The largest payload of a record: with its header it takes a quarter of the ring. */
  get maxPayloadBytes(): number {
    return (this.#dataBytes >> 2) - RECORD_HEADER_BYTES;
  }

  /** Appends one record and wakes the consumer. Returns PUSHED, FULL, CLOSED or BUSY; only PUSHED changed anything. */
  push(
    kind: number,
    method: number,
    correlation: number,
    senderAddress: number,
    senderUid: number,
    payload: Payload,
  ): number {
    const words = this.#words;
    const lock = this.#lane + LOCK;
    if (!acquire(words, lock, this.#producer)) return BUSY;

    // With the lock held. The store of the tail sends the record. If the thread is killed before, main undoes its work
    // and frees the lock once the thread has exited.
    const outcome = this.#write(kind, method, correlation, senderAddress, senderUid, payload);
    release(words, lock);
    if (outcome === PUSHED) ring(words, PARKED);
    else if (outcome === CLOSED && this.#follow()) {
      return this.push(kind, method, correlation, senderAddress, senderUid, payload);
    }
    return outcome;
  }

  /** As `push`, but the consumer is left asleep until `wake`, which comes soon: many records cost one wake-up. */
  pushQuietly(
    kind: number,
    method: number,
    correlation: number,
    senderAddress: number,
    senderUid: number,
    payload: Payload,
  ): number {
    const words = this.#words;
    const lock = this.#lane + LOCK;
    if (!acquire(words, lock, this.#producer)) return BUSY;
    const outcome = this.#write(kind, method, correlation, senderAddress, senderUid, payload);
    release(words, lock);
    if (outcome === CLOSED && this.#follow()) {
      return this.pushQuietly(kind, method, correlation, senderAddress, senderUid, payload);
    }
    return outcome;
  }

  wake(): void {
    ring(this.#words, PARKED);
  }

  /** Moves on to the actor's new slot, which has the same layout; false when the actor has none. */
  #follow(): boolean {
    const words = this.#words;
    if (Atomics.load(words, IDENTITY) !== identity(this.#uid, STATE_MOVED) || this.#slotAt === undefined) return false;
    const memory = this.#slotAt(words[MOVED_TO]);
    this.#words = memory.words;
    this.#bytes = memory.bytes;
    return true;
  }

  #write(
    kind: number,
    method: number,
    correlation: number,
    senderAddress: number,
    senderUid: number,
    payload: Payload,
  ): number {
    const words = this.#words;
    const lane = this.#lane;
    const now = Atomics.load(words, IDENTITY);
    if (now !== this.#open && now !== this.#alsoOpen) return CLOSED;

    let tail = words[lane + TAIL];
    let seq = words[lane + NEXT_SEQ];
    const length = RECORD_HEADER_BYTES + payload.length;
    const span = recordSpan(length);
    const ringBytes = this.#dataBytes;
    const toEnd = ringBytes - (tail & (ringBytes - 1));
    const needed = span <= toEnd ? span : span + toEnd;

    if (!this.#hasRoom(tail, seq, needed)) {
      this.#look(tail, seq);
      while (!this.#hasRoom(tail, seq, needed)) {
        if (!this.#dropsOldest || words[lane + SEEN_HEAD] === tail) return FULL;
        this.#dropOldest();
        this.#look(tail, seq);
      }
    }
    const stamped = (seq & STAMP_MASK) === 0 || words[PARKED] === 1 || words[STAMP_ALL] === 1;

    if (needed !== span) {
      const at = (this.#dataOffset + (tail & (ringBytes - 1))) >> 2;
      words[at + R_LENGTH] = toEnd;
      words[at + R_TYPE] = KIND_PADDING;
      words[at + R_SEQ] = seq;
      tail = (tail + toEnd) | 0;
    }
    const start = this.#dataOffset + (tail & (ringBytes - 1));
    const at = start >> 2;
    words[at + R_LENGTH] = length;
    words[at + R_TYPE] = kind | (payload.format << FORMAT_SHIFT);
    words[at + R_SEQ] = seq;
    words[at + R_METHOD] = method;
    words[at + R_CORRELATION] = correlation;
    words[at + R_SENDER_ADDRESS] = senderAddress;
    words[at + R_SENDER_UID] = senderUid;
    words[at + R_ENQUEUED] = stamped ? ticksSince(this.#producer.epochMs) : 0;
    copyIn(words, this.#bytes, start + RECORD_HEADER_BYTES, payload);

    this.lastSeq = seq;
    seq = (seq + 1) | 0;
    words[lane + NEXT_SEQ] = seq;
    // The store that publishes.
    Atomics.store(words, lane + TAIL, (tail + span) | 0);
    return PUSHED;
  }

  #hasRoom(tail: number, seq: number, needed: number): boolean {
    const words = this.#words;
    const lane = this.#lane;
    return (
      ((seq - words[lane + SEEN_SEQ]) | 0) < this.#capacity &&
      ((tail - words[lane + SEEN_HEAD] + needed) | 0) <= this.#dataBytes
    );
  }

  /** Takes the oldest record out. Under the lock, which protects the head of a ring that drops its oldest. */
  #dropOldest(): void {
    const words = this.#words;
    const lane = this.#lane;
    const head = words[lane + HEAD];
    const at = (this.#dataOffset + (head & (this.#dataBytes - 1))) >> 2;
    if (kindOf(words[at + R_TYPE]) !== KIND_PADDING) {
      const kept = words[at + R_METHOD] < 0 ? (words[at + R_LENGTH] + 3) >> 2 : RECORD_HEADER_WORDS + 2;
      this.dropped.push(words.slice(at, at + kept));
      countGone(words, lane, words[at + R_SEQ]);
    }
    emptyUpTo(words, lane, (head + recordSpan(words[at + R_LENGTH])) | 0);
  }

  /** Reads how far the consumer is. Under the lock, so that no record from the cursor on is overwritten meanwhile. */
  #look(tail: number, seq: number): void {
    const words = this.#words;
    const lane = this.#lane;
    words[lane + SEEN_HEAD] = Atomics.load(words, lane + HEAD);
    const cursor = Atomics.load(words, lane + CURSOR);
    const at = (this.#dataOffset + (cursor & (this.#dataBytes - 1))) >> 2;
    words[lane + SEEN_SEQ] = cursor === tail ? seq : words[at + R_SEQ];
  }
}
