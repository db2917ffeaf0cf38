import { FRAGMENT, RECORD_HEADER_BYTES, record, recordBytes, type WireRecord, writeRecord } from "./records.js";

/** Small records of one turn go together, up to so much. */
const BATCH_BYTES = 16 * 1024;

interface Large {
  readonly bytes: Buffer;
  readonly number: number;
  at: number;
  readonly gone: () => void;
}

/** Records on their way into frames: small ones together, large ones in pieces, between which others pass. */
export class Outgoing {
  readonly #fragmentBytes: number;
  readonly #send: (body: Uint8Array) => void;
  readonly #hasRoom: () => boolean;
  #batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #at = 0;
  #scheduled = false;
  #large: Large[] = [];
  #lastNumber = 0;

  constructor(fragmentBytes: number, send: (body: Uint8Array) => void, hasRoom: () => boolean) {
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
      const whole = Buffer.allocUnsafeSlow(bytes);
      writeRecord(whole, 0, record);
      this.#send(whole);
      return true;
    }
    this.#at = writeRecord(this.#batch, this.#at, record);
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#later);
    }
    return true;
  }

  flush(): void {
    if (this.#at === 0) return;
    const body = this.#batch.subarray(0, this.#at);
    // The link keeps it until it is acknowledged.
    this.#batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#at = 0;
    this.#send(body);
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
      const body = Buffer.allocUnsafeSlow(recordBytes(piece));
      writeRecord(body, 0, piece);
      large.at = end;
      if (end < large.bytes.length) this.#large.push(large);
      this.#send(body);
      if (end === large.bytes.length) large.gone();
    }
  }

  /** The session is over. */
  clear(): void {
    this.#large = [];
    this.#at = 0;
  }

  readonly #later = (): void => {
    this.#scheduled = false;
    this.flush();
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
