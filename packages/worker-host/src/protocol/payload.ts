/** An encoded payload in memory private to its thread. `words` and `bytes` are the same memory. */
export interface Payload {
  words: Int32Array;
  bytes: Uint8Array;
  length: number;
  /** One of codec's FORMAT_…. */
  format: number;
  /** What no bytes can carry, and a port can: the bytes refer to it by its place here. Never in a ring. */
  shared: readonly unknown[] | undefined;
}

/** Up to here a word loop beats `TypedArray.set` (measured at 150–250 bytes on Node 20). */
const WORD_COPY_BYTES = 160;

export function newPayload(bytes: number): Payload {
  const buffer = new ArrayBuffer((bytes + 7) & ~7);
  return { words: new Int32Array(buffer), bytes: new Uint8Array(buffer), length: 0, format: 0, shared: undefined };
}

/** A payload to encode into: msgpackr writes through Buffer's own methods. */
export function newWritablePayload(bytes: number): Payload {
  const payload = newPayload(bytes);
  payload.bytes = Buffer.from(payload.words.buffer);
  return payload;
}

/** Replaces the memory by at least `bytes`; the content is lost. */
export function growPayload(payload: Payload, bytes: number): void {
  const size = Math.max(bytes, payload.bytes.length * 2);
  const grown = Buffer.isBuffer(payload.bytes) ? newWritablePayload(size) : newPayload(size);
  payload.words = grown.words;
  payload.bytes = grown.bytes;
}

/** Copies a payload into a ring. `offset` is a multiple of 8. */
export function copyIn(words: Int32Array, bytes: Uint8Array, offset: number, payload: Payload): void {
  const length = payload.length;
  if (length <= WORD_COPY_BYTES) {
    const source = payload.words;
    const at = offset >> 2;
    const count = (length + 3) >> 2;
    for (let i = 0; i < count; i++) words[at + i] = source[i];
  } else {
    bytes.set(payload.bytes.subarray(0, length), offset);
  }
}

/** Copies `length` bytes at `offset` (a multiple of 8) out of a ring, growing the payload when needed. */
export function copyOut(words: Int32Array, bytes: Uint8Array, offset: number, length: number, into: Payload): void {
  if (length > into.bytes.length) growPayload(into, length);
  into.length = length;
  if (length <= WORD_COPY_BYTES) {
    const target = into.words;
    const at = offset >> 2;
    const count = (length + 3) >> 2;
    for (let i = 0; i < count; i++) target[i] = words[at + i];
  } else {
    into.bytes.set(bytes.subarray(offset, offset + length));
  }
}
