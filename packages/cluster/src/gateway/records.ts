/*
 * What frames carry: records, one behind the other.
 *
 *    0  length   u32, of all of it      4  op  u8      5  format  u8, of the payload
 *    6  method   u16, bytes of its name; bit 15: `key` is the hash of a router's key; bit 14: see `isRouted`
 *    8  target   u32     the owner's uid of the actor that it is for
 *   12  key      u32
 *   16  token    u32     the sender's number of the call, monitor or fragment
 *   20  name of the method, payload
 */
export const RECORD_HEADER_BYTES = 20;

export const CALL = 1;
export const CAST = 2;
export const SEND = 3;
export const REPLY = 4;
export const FAILURE = 5;
/** The caller has given the call up. */
export const CANCEL = 6;
/** So many messages (`token`) and bytes (`key`) for the target have left the receiver's gateway. */
export const CREDIT = 7;
export const MONITOR = 8;
export const DOWN = 9;
export const LINK = 10;
export const UNLINK = 11;
export const EXIT = 12;
/** `key` is where its bytes begin in the record of `target` bytes that it is a piece of. */
export const FRAGMENT = 13;
/** Members of a group on the sender's node that came, and those that went; in a new session all have come. */
export const GROUP = 14;
/** The target is gone for good: whatever was kept for it is not needed any more. */
export const FORGET = 15;
const LAST_OP = FORGET;

const HAS_KEY = 0x8000;
const IS_ROUTED = 0x4000;
/** What a name may have here. No actor has a method with a longer one, so what is cut off is not missed. */
const MAX_METHOD_BYTES = IS_ROUTED - 1;

export interface WireRecord {
  readonly op: number;
  readonly format: number;
  readonly method: string;
  readonly target: number;
  /** The hash of a router's key. */
  readonly keyHash: number | undefined;
  /** It was sent to the router, and is for a key: the router's window counts it. */
  readonly isRouted: boolean;
  readonly token: number;
  /** Its first `length` bytes: it may be memory that is used again, and larger. */
  readonly payload: Uint8Array;
  readonly length: number;
}

const NO_PAYLOAD = new Uint8Array(0);

export function record(op: number, rest: Partial<Omit<WireRecord, "op" | "length">> = {}): WireRecord {
  const { payload = NO_PAYLOAD } = rest;
  return {
    op,
    format: 0,
    method: "",
    target: 0,
    keyHash: undefined,
    isRouted: false,
    token: 0,
    ...rest,
    payload,
    length: payload.length,
  };
}

export function recordBytes({ method, length }: WireRecord): number {
  return RECORD_HEADER_BYTES + namesBytes(method).length + length;
}

const NO_NAME = Buffer.alloc(0);
/** Names are few; a sender that makes them up fills no memory. */
const MAX_NAMES = 1024;
const names = new Map<string, Buffer>();

/** Of the record before: most are for the same method. */
let lastName = "";
let lastBytes: Buffer = NO_NAME;

function namesBytes(name: string): Buffer {
  if (name === lastName) return lastBytes;
  lastBytes = name === "" ? NO_NAME : bytesOf(name);
  lastName = name;
  return lastBytes;
}

function bytesOf(name: string): Buffer {
  let bytes = names.get(name);
  if (bytes === undefined) {
    bytes = Buffer.from(name).subarray(0, MAX_METHOD_BYTES);
    if (names.size >= MAX_NAMES) names.clear();
    names.set(name, bytes);
  }
  return bytes;
}

/** Up to here a loop beats a call. */
const LOOP_BYTES = 64;

function copy(from: Uint8Array, length: number, into: Buffer, at: number): void {
  if (length > LOOP_BYTES) into.set(from.length === length ? from : from.subarray(0, length), at);
  else for (let i = 0; i < length; i++) into[at + i] = from[i];
}

/** Returns where it ends. `view` is of the same memory: `Buffer`'s own methods check their arguments each time. */
export function writeRecord(
  into: Buffer,
  at: number,
  { op, format, method, target, keyHash, isRouted, token, payload, length }: WireRecord,
  view = viewOf(into),
): number {
  const name = namesBytes(method);
  const methodBytes = name.length;
  copy(name, methodBytes, into, at + RECORD_HEADER_BYTES);
  const from = at + RECORD_HEADER_BYTES + methodBytes;
  const end = from + length;
  view.setUint32(at, end - at, true);
  into[at + 4] = op;
  into[at + 5] = format;
  view.setUint16(at + 6, methodBytes | (keyHash === undefined ? 0 : HAS_KEY) | (isRouted ? IS_ROUTED : 0), true);
  view.setUint32(at + 8, target, true);
  view.setUint32(at + 12, keyHash ?? 0, true);
  view.setUint32(at + 16, token, true);
  copy(payload, length, into, from);
  return end;
}

/** Each record of a body, its payload a view; stops at the first that is damaged, and returns false. */
export function readRecords(body: Uint8Array, take: (record: WireRecord) => void): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const view = viewOf(bytes);
  // Most records of a body are for the same method.
  let name = "";
  let nameAt = 0;
  let nameBytes = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < RECORD_HEADER_BYTES) return false;
    const length = view.getUint32(at, true);
    const op = bytes[at + 4];
    const methodWord = view.getUint16(at + 6, true);
    const methodBytes = methodWord & ~(HAS_KEY | IS_ROUTED);
    if (length < RECORD_HEADER_BYTES + methodBytes || length > bytes.length - at) return false;
    if (op < CALL || op > LAST_OP) return false;
    const from = at + RECORD_HEADER_BYTES;
    if (!isSame(bytes, nameAt, nameBytes, from, methodBytes)) {
      name = bytes.toString("utf8", from, from + methodBytes);
      nameAt = from;
      nameBytes = methodBytes;
    }
    const payloadBytes = length - RECORD_HEADER_BYTES - methodBytes;
    take({
      op,
      format: bytes[at + 5],
      method: methodBytes === 0 ? "" : name,
      target: view.getUint32(at + 8, true),
      keyHash: (methodWord & HAS_KEY) === 0 ? undefined : view.getUint32(at + 12, true),
      isRouted: (methodWord & IS_ROUTED) !== 0,
      token: view.getUint32(at + 16, true),
      payload: new Uint8Array(bytes.buffer, bytes.byteOffset + from + methodBytes, payloadBytes),
      length: payloadBytes,
    });
    at += length;
  }
  return true;
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function isSame(bytes: Buffer, one: number, oneLength: number, other: number, length: number): boolean {
  if (length === 0) return true;
  if (oneLength !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[one + i] !== bytes[other + i]) return false;
  return true;
}
