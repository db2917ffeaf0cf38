/*
 * What frames carry: records, one behind the other.
 *
 *    0  length   u32, of all of it      4  op  u8      5  format  u8, of the payload
 *    6  method   u16, bytes of its name; bit 15: `key` is the hash of a router's key
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
/** The members of a group on the sender's node, all of them. */
export const GROUP = 14;
const LAST_OP = GROUP;

const HAS_KEY = 0x8000;

export interface WireRecord {
  readonly op: number;
  readonly format: number;
  readonly method: string;
  readonly target: number;
  /** The hash of a router's key. */
  readonly keyHash: number | undefined;
  readonly token: number;
  readonly payload: Uint8Array;
}

const NO_PAYLOAD = new Uint8Array(0);

export function record(op: number, rest: Partial<Omit<WireRecord, "op">> = {}): WireRecord {
  return { op, format: 0, method: "", target: 0, keyHash: undefined, token: 0, payload: NO_PAYLOAD, ...rest };
}

export function recordBytes({ method, payload }: WireRecord): number {
  return RECORD_HEADER_BYTES + Buffer.byteLength(method) + payload.length;
}

/** Returns where it ends. */
export function writeRecord(
  into: Buffer,
  at: number,
  { op, format, method, target, keyHash, token, payload }: WireRecord,
): number {
  const methodBytes = method === "" ? 0 : into.write(method, at + RECORD_HEADER_BYTES);
  const from = at + RECORD_HEADER_BYTES + methodBytes;
  const end = from + payload.length;
  into.writeUInt32LE(end - at, at);
  into[at + 4] = op;
  into[at + 5] = format;
  into.writeUInt16LE(keyHash === undefined ? methodBytes : methodBytes | HAS_KEY, at + 6);
  into.writeUInt32LE(target >>> 0, at + 8);
  into.writeUInt32LE((keyHash ?? 0) >>> 0, at + 12);
  into.writeUInt32LE(token >>> 0, at + 16);
  into.set(payload, from);
  return end;
}

/** Each record of a body, its payload a view; stops at the first that is damaged, and returns false. */
export function readRecords(body: Uint8Array, take: (record: WireRecord) => void): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < RECORD_HEADER_BYTES) return false;
    const length = bytes.readUInt32LE(at);
    const op = bytes[at + 4];
    const methodWord = bytes.readUInt16LE(at + 6);
    const methodBytes = methodWord & ~HAS_KEY;
    if (length < RECORD_HEADER_BYTES + methodBytes || length > bytes.length - at) return false;
    if (op < CALL || op > LAST_OP) return false;
    const from = at + RECORD_HEADER_BYTES;
    take({
      op,
      format: bytes[at + 5],
      method: methodBytes === 0 ? "" : bytes.toString("utf8", from, from + methodBytes),
      target: bytes.readUInt32LE(at + 8),
      keyHash: (methodWord & HAS_KEY) === 0 ? undefined : bytes.readUInt32LE(at + 12),
      token: bytes.readUInt32LE(at + 16),
      payload: bytes.subarray(from + methodBytes, at + length),
    });
    at += length;
  }
  return true;
}
