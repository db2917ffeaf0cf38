/** An encoded payload in memory of its thread's own. `words` and `bytes` are views of the same memory. */
export interface Payload {
  words: Int32Array;
  bytes: Uint8Array;
  length: number;
  /** One of FORMAT_…. */
  format: number;
  /** Objects that a port can carry and bytes cannot. The bytes refer to each by its index. Never in a ring. */
  shared: readonly unknown[] | undefined;
  /** True when `bytes` has exactly this length and no other user: a value may take it without a copy. */
  own: boolean;
}

/** How a payload is encoded. */
export const FORMAT_NONE = 0;
/** A small plain tree, see plain-format.ts. */
export const FORMAT_PLAIN = 1;
/** A value graph as MessagePack. */
export const FORMAT_GRAPH = 2;
/** One Uint8Array and nothing else: its bytes as they are. */
export const FORMAT_BYTES = 3;
/**
 * The message does not go through the ring. The payload names its parcel: owner id, count, and the owner id of the thread
 * to which the sender posts it, or 0 for main.
 */
export const FORMAT_PARCEL = 4;
/** The word of the payload with that thread. */
export const PARCEL_TARGET = 2;
/** Any other plain tree, as MessagePack. */
export const FORMAT_PACKED = 5;
/** As FORMAT_BYTES, of a Buffer. */
export const FORMAT_BUFFER = 6;

/** A larger message has to transfer its bytes. */
export const MAX_MESSAGE_BYTES = 512 * 1024 * 1024;

/**
 * A flag beside the format: behind the arguments is the light actor that the message is for, see `memberTarget`. A
 * partition's ring carries the messages of all its members.
 */
export const FORMAT_MEMBER = 0x40;

/** A flag beside the format: the last argument is of the sender's trace and baggage, see telemetry. */
export const FORMAT_TRACED = 0x80;

/** Up to here a word loop beats `TypedArray.set`: 512 bytes in 38 ns against 52 (Node 20), 35 against 37 (Node 24). */
const WORD_COPY_BYTES = 512;
/** From here on a message that is bytes and nothing else is copied from where it lies, and to where it stays. */
const WRAPPED_BYTES = 160;
/**
 * To and from shared memory, `TypedArray.set` copies word by word, and unaligned bytes one by one: 64 KB in 2.9 and 22
 * µs on Node 20. `Buffer.fill` is one native copy of 1.8 µs; it has 50 to 70 ns of overhead, as many as `set` of 1 KB.
 */
const NATIVE_COPY_BYTES = 1024;
/** From this size on, memory that is not zeroed first saves more than the second object costs that it takes. */
const UNZEROED_BYTES = 16 * 1024;

const { fill } = Buffer.prototype;
const NO_WORDS = new Int32Array(0);

export function newPayload(bytes: number): Payload {
  const buffer = new ArrayBuffer((bytes + 7) & ~7);
  return {
    words: new Int32Array(buffer),
    bytes: new Uint8Array(buffer),
    length: 0,
    format: FORMAT_NONE,
    own: false,
    shared: undefined,
  };
}

export function isBytesFormat(format: number): boolean {
  return format === FORMAT_BYTES || format === FORMAT_BUFFER;
}

/** No reference is in a payload of this format, whatever it holds. */
export function isWithoutReferences(format: number): boolean {
  return format === FORMAT_NONE || format === FORMAT_PLAIN || isBytesFormat(format);
}

/** A copy of `bytes` in memory that is used again. They are not longer than that. */
export function fillPayload(into: Payload, format: number, bytes: Uint8Array): Payload {
  const { length } = bytes;
  const target = into.bytes;
  // Below it a loop beats a call.
  if (length <= 64) for (let i = 0; i < length; i++) target[i] = bytes[i];
  else target.set(bytes);
  into.length = length;
  into.format = format;
  return into;
}

/** Wraps `bytes` without copying. `own`: no one else holds them, so the receiver may keep them. */
export function payloadOfBytes(bytes: Uint8Array, format: number, own: boolean): Payload {
  return { words: NO_WORDS, bytes, length: bytes.length, format, own, shared: undefined };
}

export function isLargeEnoughForBytes(length: number): boolean {
  return length > WRAPPED_BYTES;
}

/** A payload to encode into: msgpackr writes through Buffer's own methods. */
export function newWritablePayload(bytes: number): Payload {
  const payload = newPayload(bytes);
  payload.bytes = Buffer.from(payload.words.buffer);
  return payload;
}

/** Replaces the memory by one of at least `bytes`. The content is lost. */
export function growPayload(payload: Payload, bytes: number): void {
  const size = Math.max(bytes, payload.bytes.length * 2);
  const grown = Buffer.isBuffer(payload.bytes) ? newWritablePayload(size) : newPayload(size);
  payload.words = grown.words;
  payload.bytes = grown.bytes;
}

/** Copies a payload into a ring. `offset` is a multiple of 8. */
export function copyIn(words: Int32Array, bytes: Uint8Array, offset: number, payload: Payload): void {
  const length = payload.length;
  // A payload of wrapped bytes has no words.
  if (length <= WORD_COPY_BYTES && payload.words !== NO_WORDS) {
    const source = payload.words;
    const at = offset >> 2;
    const count = (length + 3) >> 2;
    for (let i = 0; i < count; i++) words[at + i] = source[i];
    return;
  }
  const source = payload.bytes.length === length ? payload.bytes : payload.bytes.subarray(0, length);
  if (length < NATIVE_COPY_BYTES && (source.byteOffset & 7) === 0) bytes.set(source, offset);
  else fill.call(bytes, source, offset, offset + length);
}

/** Copies `length` bytes at `offset` (a multiple of 8) out of a ring. Grows the payload when needed. */
export function copyOut(words: Int32Array, bytes: Uint8Array, offset: number, length: number, into: Payload): void {
  if (length > into.bytes.length) growPayload(into, length);
  into.length = length;
  if (length <= WORD_COPY_BYTES) {
    const target = into.words;
    const at = offset >> 2;
    const count = (length + 3) >> 2;
    for (let i = 0; i < count; i++) target[i] = words[at + i];
    return;
  }
  const source = bytes.subarray(offset, offset + length);
  if (length < NATIVE_COPY_BYTES) into.bytes.set(source);
  else fill.call(into.bytes, source, 0, length);
}

/** Copies `length` bytes at `offset` out of a ring, into memory that the handler may keep. */
export function takeOut(bytes: Uint8Array, offset: number, length: number, format: number): Payload {
  if (length < UNZEROED_BYTES) return payloadOfBytes(bytes.slice(offset, offset + length), format, true);
  const taken = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  fill.call(taken, bytes.subarray(offset, offset + length), 0, length);
  return payloadOfBytes(taken, format, true);
}

/** A copy of `payload` with the text of its method behind it. */
export function withMethodText(payload: Payload, name: string): Payload {
  const bytes = Buffer.from(name);
  const { length } = payload;
  const longer = newPayload(length + bytes.length);
  longer.bytes.set(payload.bytes.subarray(0, length));
  longer.bytes.set(bytes, length);
  longer.length = length + bytes.length;
  longer.format = payload.format;
  return longer;
}
