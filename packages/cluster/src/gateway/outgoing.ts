import { Queue } from "@mini-otp/worker-host/protocol/calls";
import { FRAME_HEADER_BYTES, newFrame } from "../link/frame.js";
import { FRAGMENT, RECORD_HEADER_BYTES, record, recordBytes, viewOf, type WireRecord, writeRecord } from "./records.js";

/**
 * Small records of one turn go together, up to so much. With 32 KiB more frames lie across two reads of the socket, which
 * nats.js copies together: small casts and casts of 1 KB were slower in most runs of `bench:cluster`'s rows.
 */
const BATCH_BYTES = 16 * 1024;
/** Large records of which pieces are under way: others wait for their end. A receiver keeps no more of them. */
const OPEN_AT_ONCE = 4;

interface Large {
  readonly bytes: Buffer;
  readonly number: number;
  at: number;
  readonly gone: () => void;
}

/** Records on their way into frames: small ones together, large ones in pieces, between which others pass. */
export class Outgoing {
  readonly #fragmentBytes: number;
  readonly #send: (frame: Uint8Array) => void;
  readonly #hasRoom: () => boolean;
  readonly #batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  readonly #view = viewOf(this.#batch);
  #at = 0;
  #scheduled = false;
  /** A frame has gone in this turn of the event loop: what comes now goes with the next turn's. */
  #wentNow = false;
  /** Those of which pieces are under way, and those that wait. */
  #open = new Queue<Large>();
  #large = new Queue<Large>();
  #largeBytes = 0;
  #lastNumber = 0;

  /** `send` gets frames as `newFrame` makes them, and may keep them. */
  constructor(fragmentBytes: number, send: (frame: Uint8Array) => void, hasRoom: () => boolean) {
    this.#fragmentBytes = fragmentBytes;
    this.#send = send;
    this.#hasRoom = hasRoom;
  }

  /** Bytes of large records that have not gone. */
  get waitingBytes(): number {
    return this.#largeBytes;
  }

  /** Its payload is copied. True when all of it is on its way; else `gone` is called once it is. */
  add(record: WireRecord, gone: () => void = () => {}): boolean {
    const bytes = recordBytes(record);
    if (bytes > this.#fragmentBytes) {
      const whole = Buffer.allocUnsafeSlow(bytes);
      writeRecord(whole, 0, record);
      let isGone = false;
      let isLate = false;
      const went = (): void => {
        isGone = true;
        if (isLate) gone();
      };
      this.#large.push({ bytes: whole, number: ++this.#lastNumber, at: 0, gone: went });
      this.#largeBytes += bytes;
      this.pump();
      isLate = true;
      return isGone;
    }
    if (bytes > BATCH_BYTES - this.#at) this.flush();
    if (bytes > BATCH_BYTES) {
      this.#sendAlone(record, bytes);
      return true;
    }
    this.#at = writeRecord(this.#batch, this.#at, record, this.#view);
    if (!this.#scheduled && !this.#wentNow) {
      this.#scheduled = true;
      queueMicrotask(this.#later);
    }
    return true;
  }

  flush(): void {
    if (this.#at === 0) return;
    // The link keeps it until it is acknowledged.
    const frame = newFrame(this.#at);
    this.#batch.copy(frame, FRAME_HEADER_BYTES, 0, this.#at);
    this.#at = 0;
    this.#send(frame);
  }

  #sendAlone(record: WireRecord, bytes: number): void {
    const frame = newFrame(bytes);
    writeRecord(frame, FRAME_HEADER_BYTES, record);
    this.#send(frame);
  }

  /** Sends of each large record a piece in turn, while there is room. */
  pump(): void {
    this.flush();
    while (this.#hasRoom()) {
      const large = this.#nextLarge();
      if (large === undefined) return;
      const end = Math.min(large.at + this.#fragmentBytes - RECORD_HEADER_BYTES, large.bytes.length);
      const piece = record(FRAGMENT, {
        target: large.bytes.length,
        keyHash: large.at,
        token: large.number,
        payload: large.bytes.subarray(large.at, end),
      });
      this.#largeBytes -= end - large.at;
      large.at = end;
      if (end < large.bytes.length) this.#open.push(large);
      this.#sendAlone(piece, recordBytes(piece));
      if (end === large.bytes.length) large.gone();
    }
  }

  #nextLarge(): Large | undefined {
    for (let next: Large | undefined; this.#open.length < OPEN_AT_ONCE; this.#open.push(next)) {
      next = this.#large.shift();
      if (next === undefined) break;
    }
    return this.#open.shift();
  }

  /** The session is over. */
  clear(): void {
    this.#open = new Queue();
    this.#large = new Queue();
    this.#largeBytes = 0;
    this.#at = 0;
  }

  /** The first of a turn goes at once, so that one call does not wait; what follows goes together. */
  readonly #later = (): void => {
    this.#scheduled = false;
    if (this.#at === 0) return;
    this.flush();
    this.#wentNow = true;
    setImmediate(this.#turned);
  };

  readonly #turned = (): void => {
    this.#wentNow = false;
    this.#later();
  };
}

interface Open {
  readonly length: number;
  bytes: Buffer;
  at: number;
}

const FIRST_BYTES = 64 * 1024;

/** Large records that come in pieces. Memory is taken for what has come, not for what is said to come. */
export class Pieces {
  readonly #maxBytes: number;
  readonly #open = new Map<number, Open>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Memory that is taken for what is not whole yet. */
  get bytes(): number {
    return [...this.#open.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** The whole, once it is there; undefined while it is not; null for what cannot be a piece. */
  add({ target: length, keyHash: at = 0, token, payload }: WireRecord): Buffer | undefined | null {
    const open = this.#open.get(token) ?? { length, bytes: Buffer.alloc(0), at: 0 };
    const end = at + payload.length;
    const isNext = open.length === length && open.at === at && payload.length > 0 && end <= length;
    if (!isNext || length > this.#maxBytes || (at === 0 && this.#open.size >= OPEN_AT_ONCE)) return null;
    if (end > open.bytes.length)
      open.bytes = grown(open.bytes, open.at, Math.min(length, Math.max(FIRST_BYTES, 2 * end)));
    open.bytes.set(payload, at);
    open.at = end;
    if (end < length) {
      this.#open.set(token, open);
      return undefined;
    }
    this.#open.delete(token);
    return open.bytes;
  }

  clear(): void {
    this.#open.clear();
  }
}

function grown(bytes: Buffer, used: number, length: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(length);
  bytes.copy(larger, 0, 0, used);
  return larger;
}
