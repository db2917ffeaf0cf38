/*
 * What two gateways send each other: one NATS message is one frame. Little endian.
 *
 *    0  version   u8      1  type  u8      2  flags  u16, 0
 *    4  from      u32     the sender's epoch
 *    8  to        u32     the receiver's epoch, 0 while the sender does not know it
 *   12  seq       u32     counts DATA of the session, from 1; of a PING and its PONG the number of the question
 *   16  ack       u32     the last DATA that the sender has taken
 *   20  reserved  u32, 0
 *   24  body
 */
export const FRAME_VERSION = 1;
export const FRAME_HEADER_BYTES = 24;

export const DATA = 1;
export const HELLO = 2;
export const ACK = 3;
export const NACK = 4;
export const BYE = 5;
export const PING = 6;
export const PONG = 7;

export type FrameType = typeof DATA | typeof HELLO | typeof ACK | typeof NACK | typeof BYE | typeof PING | typeof PONG;

export interface Frame {
  readonly type: FrameType;
  readonly from: number;
  readonly to: number;
  readonly seq: number;
  readonly ack: number;
  readonly body: Uint8Array;
  /** Memory that ends with the body and has room for the header in front of it, and no other user. */
  readonly whole?: Uint8Array | undefined;
}

export const NO_BODY: Uint8Array = new Uint8Array(0);

/** Memory for a frame. Its body begins at `FRAME_HEADER_BYTES`. */
export function newFrame(bodyBytes: number): Buffer {
  return Buffer.allocUnsafe(FRAME_HEADER_BYTES + bodyBytes);
}

export function encodeFrame({ type, from, to, seq, ack, body, whole }: Frame): Uint8Array {
  const bytes = whole ?? new Uint8Array(FRAME_HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES);
  bytes[0] = FRAME_VERSION;
  bytes[1] = type;
  view.setUint16(2, 0, true);
  view.setUint32(4, from, true);
  view.setUint32(8, to, true);
  view.setUint32(12, seq, true);
  view.setUint32(16, ack, true);
  view.setUint32(20, 0, true);
  if (whole === undefined) bytes.set(body, FRAME_HEADER_BYTES);
  return bytes;
}

/** Undefined for what is no frame of this version. Its body is a view of `bytes`. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < FRAME_HEADER_BYTES || bytes[0] !== FRAME_VERSION) return undefined;
  const type = bytes[1];
  if (type < DATA || type > PONG) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(2, true) !== 0 || view.getUint32(20, true) !== 0) return undefined;
  return {
    type: type as FrameType,
    from: view.getUint32(4, true),
    to: view.getUint32(8, true),
    seq: view.getUint32(12, true),
    ack: view.getUint32(16, true),
    body: bytes.subarray(FRAME_HEADER_BYTES),
  };
}
