/*
 * A record in a ring: a header of eight int32 words, then the encoded payload.
 * Records start on 8-byte borders; `length` is exact, the next record starts at the border after it.
 *
 *   0  length          header + payload, bytes
 *   1  kind (bits 0–7) · payload format (8–15) · flags (16–23) · attempt (24–30)
 *   2  seq             counts accepted records of this ring; a padding record carries its successor's
 *   3  method          number of its name, see name-table; minus n when the payload's last n bytes are the name
 *   4  correlation     the caller's number for this call, below 0 for a stream, 0 for none
 *   5  sender address  ┐ the slot a reply goes to
 *   6  sender uid      ┘
 *   7  enqueued        ticks of 1/64 ms since the system started, 0 when not stamped
 *
 * A clock read costs 50 ns, a sixth of the cost of a message. So only these records are stamped: every sixteenth, each
 * that finds its consumer asleep, and all while the consumer's handlers are slow.
 */
export const RECORD_HEADER_WORDS = 8;
export const RECORD_HEADER_BYTES = 32;

export const R_LENGTH = 0;
export const R_TYPE = 1;
export const R_SEQ = 2;
export const R_METHOD = 3;
export const R_CORRELATION = 4;
export const R_SENDER_ADDRESS = 5;
export const R_SENDER_UID = 6;
export const R_ENQUEUED = 7;

/** Records whose seq has none of these bits are always stamped. */
export const STAMP_MASK = 15;

/** Fills the ring's end when a record would not fit before the wrap. */
export const KIND_PADDING = 1;
export const KIND_CALL = 2;
export const KIND_CAST = 3;
export const KIND_SEND = 4;
/** A call's answer, in the caller's system lane. */
export const KIND_REPLY = 5;
/** A call's failure, in the caller's system lane: the payload is an encoded error. */
export const KIND_FAILURE = 6;
/** The caller has given a call up, in the callee's system lane. */
export const KIND_CANCEL = 7;
/** Opens a stream. Its correlation is below 0, so that no call has it, however long the stream stays open. */
export const KIND_STREAM = 8;
/** Items of a stream, in the reader's system lane. `method` counts such records of the stream, from 0. */
export const KIND_ITEMS = 9;
/** How many items more a reader takes, in the producer's system lane: see stream-window.ts. */
export const KIND_CREDIT = 10;
export const LAST_KIND = KIND_CREDIT;

export const FORMAT_SHIFT = 8;
const ATTEMPT_SHIFT = 24;
export const MAX_ATTEMPT = 0x7f;

export function kindOf(type: number): number {
  return type & 0xff;
}

export function formatOf(type: number): number {
  return (type >> FORMAT_SHIFT) & 0xff;
}

export function attemptOf(type: number): number {
  return (type >> ATTEMPT_SHIFT) & MAX_ATTEMPT;
}

export function withAttempt(type: number, attempt: number): number {
  return (type & ~(MAX_ATTEMPT << ATTEMPT_SHIFT)) | (attempt << ATTEMPT_SHIFT);
}

/** Bytes from one record's start to the next. */
export function recordSpan(length: number): number {
  return (length + 7) & ~7;
}
