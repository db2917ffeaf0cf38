import { beginAgain, claim, endClaim, isToDeliverAgain } from "../memory/lane-transitions.js";
import {
  KIND_PADDING,
  kindOf,
  R_LENGTH,
  R_METHOD,
  R_SEQ,
  R_TYPE,
  RECORD_HEADER_BYTES,
  RECORD_HEADER_WORDS,
  recordSpan,
} from "../memory/record-descriptor.js";
import { acquire, type Producer, release } from "../memory/ring-lock.js";
import type { SlotMemory } from "../memory/segments.js";
import { DATA_BYTES, DATA_OFFSET, HEAD, IN_FLIGHT_OFFSET, LOCK, TAIL } from "../memory/slot-descriptor.js";
import { copyIn, type Payload } from "./payload.js";
import { RingReader } from "./ring-reader.js";

/**
 * The consuming side of a mailbox whose producers drop the oldest record when it is full. Both sides move the head, so
 * both hold the lock for that. A claimed record leaves the ring for the in-flight area, where the next incarnation
 * finds it, so that a long handler does not block the room behind it.
 */
export class DroppingReader extends RingReader {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #lane: number;
  readonly #producer: Producer;

  constructor(memory: SlotMemory, lane: number, payload: Payload, producer: Producer) {
    super(memory, lane, payload);
    this.#words = memory.words;
    this.#bytes = memory.bytes;
    this.#lane = lane;
    this.#producer = producer;
    this.#undelivered = isToDeliverAgain(memory.words, lane);
  }

  /** An earlier incarnation died while it handled a record, which is to be handled first. */
  #undelivered: boolean;

  override get pending(): boolean {
    const words = this.#words;
    return this.#undelivered || Atomics.load(words, this.#lane + HEAD) !== Atomics.load(words, this.#lane + TAIL);
  }

  override next(): boolean {
    if (this.#undelivered) {
      this.#undelivered = false;
      beginAgain(this.#words, this.#lane);
      this.#load(this.#words[this.#lane + IN_FLIGHT_OFFSET] >> 2);
      return true;
    }
    if (!this.pending) return false;
    const words = this.#words;
    const lock = this.#lane + LOCK;
    if (!acquire(words, lock, this.#producer)) return false;
    const found = this.#claim();
    release(words, lock);
    if (found) this.wakeProducers();
    return found;
  }

  override commit(): void {
    endClaim(this.#words, this.#lane);
  }

  #claim(): boolean {
    const words = this.#words;
    const lane = this.#lane;
    const head = words[lane + HEAD];
    if (head === Atomics.load(words, lane + TAIL)) return false;
    const mask = words[lane + DATA_BYTES] - 1;
    let at = (words[lane + DATA_OFFSET] + (head & mask)) >> 2;
    let start = head;
    if (kindOf(words[at + R_TYPE]) === KIND_PADDING) {
      start = (head + words[at + R_LENGTH]) | 0;
      at = words[lane + DATA_OFFSET] >> 2;
    }
    this.#load(at);
    const area = words[lane + IN_FLIGHT_OFFSET];
    words.set(this.header, area >> 2);
    copyIn(words, this.#bytes, area + RECORD_HEADER_BYTES, this.payload);
    this.#copyMethodText(at << 2, area);
    const next = (start + recordSpan(this.header[R_LENGTH])) | 0;
    claim(words, lane, this.header[R_SEQ], head, next);
    return true;
  }

  #copyMethodText(from: number, to: number): void {
    const method = this.header[R_METHOD];
    const length = this.header[R_LENGTH];
    if (method < 0) this.#bytes.copyWithin(to + length + method, from + length + method, from + length);
  }

  #load(at: number): void {
    const words = this.#words;
    for (let i = 0; i < RECORD_HEADER_WORDS; i++) this.header[i] = words[at + i];
    this.loadRecord(at << 2);
  }
}
