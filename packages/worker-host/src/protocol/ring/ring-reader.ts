import { ring } from "../memory/doorbell.js";
import { passRecord } from "../memory/lane-transitions.js";
import { methodTextIn } from "../memory/method-name.js";
import {
  formatOf,
  KIND_PADDING,
  kindOf,
  LAST_KIND,
  R_LENGTH,
  R_METHOD,
  R_SEQ,
  R_TYPE,
  RECORD_HEADER_BYTES,
  RECORD_HEADER_WORDS,
  recordSpan,
} from "../memory/record-descriptor.js";
import type { SlotMemory } from "../memory/segments.js";
import { CAPACITY, CURSOR, DATA_BYTES, DATA_OFFSET, HEAD, NEXT_SEQ, SPACE, TAIL } from "../memory/slot-descriptor.js";
import { copyOut, isBytesFormat, isLargeEnoughForBytes, type Payload, takeOut } from "./payload.js";

/**
 * The consuming side of one lane. `next` makes a record current: it stores the cursor, and from then on the record
 * counts as being handled. `commit` finishes it: it stores the head, and the record's room is free. The record is read
 * from a private copy only, so another thread cannot change it meanwhile.
 */
export class RingReader {
  /** A private copy of the current record's header, see record-descriptor. */
  readonly header: Int32Array = new Int32Array(RECORD_HEADER_WORDS);
  payload: Payload;
  /** The name of the current record's method, when it travels as text. */
  methodText = "";

  readonly #reused: Payload;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #lane: number;
  readonly #dataOffset: number;
  readonly #dataBytes: number;
  readonly #wakeBelowBytes: number;
  readonly #wakeBelowCount: number;
  readonly #keepsBytes: boolean;
  #head: number;
  #tail: number;
  #end = 0;

  /** `keepsBytes`: large bytes get memory of their own, because a value may keep them. */
  constructor(memory: SlotMemory, lane: number, payload: Payload, keepsBytes = true) {
    this.#keepsBytes = keepsBytes;
    const words = memory.words;
    this.payload = payload;
    this.#reused = payload;
    this.#words = words;
    this.#bytes = memory.bytes;
    this.#lane = lane;
    this.#dataOffset = words[lane + DATA_OFFSET];
    this.#dataBytes = words[lane + DATA_BYTES];
    // Producers are woken when half the ring is free, not at every record, because a switch of threads costs more than
    // handling a hundred records.
    this.#wakeBelowBytes = this.#dataBytes >> 1;
    this.#wakeBelowCount = Math.max(1, words[lane + CAPACITY] >> 1);
    this.#head = words[lane + HEAD];
    this.#tail = this.#head;
  }

  /** True when a record waits. May miss one that has just come, so do not use it for the last look before a sleep. */
  get noticed(): boolean {
    return this.#head !== this.#tail || (this.#words[this.#lane + TAIL] !== this.#tail && this.pending);
  }

  /** True when a record waits. */
  get pending(): boolean {
    if (this.#head !== this.#tail) return true;
    this.#tail = Atomics.load(this.#words, this.#lane + TAIL);
    return this.#head !== this.#tail;
  }

  /** Makes the next record current. False when there is none. */
  next(): boolean {
    if (!this.noticed) return false;
    const words = this.#words;
    let at = (this.#dataOffset + (this.#head & (this.#dataBytes - 1))) >> 2;
    if (kindOf(words[at + R_TYPE]) === KIND_PADDING) {
      // Padding reaches to the ring's end. One store published it and the record after it, so that record is there.
      this.#head = (this.#head + this.#toEnd()) | 0;
      at = this.#dataOffset >> 2;
    }
    const header = this.header;
    for (let i = 0; i < RECORD_HEADER_WORDS; i++) header[i] = words[at + i];
    const length = header[R_LENGTH];
    const kind = kindOf(header[R_TYPE]);
    // Never true while every thread keeps to the protocol. Memory that was overwritten by accident is not read.
    if (length < RECORD_HEADER_BYTES || length > this.#toEnd() || kind <= KIND_PADDING || kind > LAST_KIND) {
      const facts = `length=${length} kind=${kind} position=${this.#head} ringBytes=${this.#dataBytes}`;
      throw new RangeError(`torn record: ${facts}`);
    }
    this.loadRecord(at << 2);
    this.#end = (this.#head + recordSpan(length)) | 0;
    // A producer counts the waiting records from the cursor on, so here the count falls. While more records wait, the
    // next commit is soon enough to publish that. With none left, a producer may be asleep that nothing else wakes.
    if (this.#end !== this.#tail) {
      words[this.#lane + CURSOR] = this.#end;
    } else {
      Atomics.store(words, this.#lane + CURSOR, this.#end);
      if (Atomics.load(words, this.#lane + SPACE) !== 0) this.#wakeWhenRoomy();
    }
    return true;
  }

  /** Finishes the current record, and wakes producers when enough room is free. */
  commit(): void {
    const words = this.#words;
    this.#head = this.#end;
    passRecord(words, this.#lane, this.header[R_SEQ], this.#head);
    if (Atomics.load(words, this.#lane + SPACE) !== 0) this.#wakeWhenRoomy();
  }

  /** Loads the method's text and the payload of `header`, whose record is at byte `start`. */
  protected loadRecord(start: number): void {
    const { header } = this;
    const end = start + header[R_LENGTH];
    const method = header[R_METHOD];
    const offset = start + RECORD_HEADER_BYTES;
    if (method >= 0) {
      this.load(offset, end - offset, formatOf(header[R_TYPE]));
      return;
    }
    if (end + method < offset) throw new RangeError(`torn record: length=${header[R_LENGTH]} method=${method}`);
    this.methodText = methodTextIn(method, this.#bytes, end);
    this.load(offset, end + method - offset, formatOf(header[R_TYPE]));
  }

  /**
   * Copies the payload out of the ring: into memory that the next one uses again, or large bytes into memory of their
   * own.
   */
  protected load(offset: number, length: number, format: number): void {
    if (isBytesFormat(format) && isLargeEnoughForBytes(length) && this.#keepsBytes) {
      this.payload = takeOut(this.#bytes, offset, length, format);
      return;
    }
    const payload = this.#reused;
    copyOut(this.#words, this.#bytes, offset, length, payload);
    payload.format = format;
    this.payload = payload;
  }

  protected wakeProducers(): void {
    ring(this.#words, this.#lane + SPACE);
  }

  /** Bytes from the head to where the ring wraps; 0 for a position that no record can have. */
  #toEnd(): number {
    return (this.#head & 7) === 0 ? this.#dataBytes - (this.#head & (this.#dataBytes - 1)) : 0;
  }

  #wakeWhenRoomy(): void {
    const words = this.#words;
    const tail = Atomics.load(words, this.#lane + TAIL);
    const waitingBytes = (tail - this.#head) | 0;
    const waiting = (words[this.#lane + NEXT_SEQ] - this.header[R_SEQ] - 1) | 0;
    if (this.#end === tail || (waiting <= this.#wakeBelowCount && waitingBytes <= this.#wakeBelowBytes)) {
      this.wakeProducers();
    }
  }
}
