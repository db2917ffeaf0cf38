import { FRAME_HEADER_BYTES, newFrame } from "../link/frame.js";
import { FRAGMENT, RECORD_HEADER_BYTES, record, recordBytes, type WireRecord, writeRecord } from "./records.js";

/** Small records of one turn go together, up to so much. */
const BATCH_BYTES = 32 * 1024;

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
  #at = 0;
  #scheduled = false;
  /** A frame has gone in this turn of the event loop: what comes now goes with the next turn's. */
  #wentNow = false;
  #large: Large[] = [];
  #lastNumber = 0;

  /** `send` gets frames as `newFrame` makes them, and may keep them. */
  constructor(fragmentBytes: number, send: (frame: Uint8Array) => void, hasRoom: () => boolean) {
    this.#fragmentBytes = fragmentBytes;
    this.#send = send;
    this.#hasRoom = hasRoom;
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
      this.pump();
      isLate = true;
      return isGone;
    }
    if (bytes > BATCH_BYTES - this.#at) this.flush();
    if (bytes > BATCH_BYTES) {
      this.#sendAlone(record, bytes);
      return true;
    }
    this.#at = writeRecord(this.#batch, this.#at, record);
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
      const large = this.#large.shift();
      if (large === undefined) return;
      const end = Math.min(large.at + this.#fragmentBytes - RECORD_HEADER_BYTES, large.bytes.length);
      const piece = record(FRAGMENT, {
        target: large.bytes.length,
        keyHash: large.at,
        token: large.number,
        payload: large.bytes.subarray(large.at, end),
      });
      large.at = end;
      if (end < large.bytes.length) this.#large.push(large);
      this.#sendAlone(piece, recordBytes(piece));
      if (end === large.bytes.length) large.gone();
    }
  }

  /** The session is over. */
  clear(): void {
    this.#large = [];
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

/** A peer that begins more large records than this without an end is not believed. */
const MAX_OPEN = 256;

interface Open {
  readonly length: number;
  readonly pieces: Uint8Array[];
  at: number;
}

/** Large records that come in pieces. Memory is taken for what has come, not for what is said to come. */
export class Pieces {
  readonly #maxBytes: number;
  readonly #open = new Map<number, Open>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The whole, once it is there; undefined while it is not; null for what cannot be a piece. */
  add({ target: length, keyHash: at = 0, token, payload }: WireRecord): Buffer | undefined | null {
    const open = this.#open.get(token) ?? { length, pieces: [], at: 0 };
    const end = at + payload.length;
    const isNext = open.length === length && open.at === at && payload.length > 0 && end <= length;
    if (!isNext || length > this.#maxBytes || (at === 0 && this.#open.size >= MAX_OPEN)) return null;
    open.pieces.push(payload);
    open.at = end;
    if (end < length) {
      this.#open.set(token, open);
      return undefined;
    }
    this.#open.delete(token);
    return Buffer.concat(open.pieces);
  }

  clear(): void {
    this.#open.clear();
  }
}
