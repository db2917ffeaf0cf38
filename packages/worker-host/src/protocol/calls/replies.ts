import {
  KIND_CANCEL,
  KIND_CREDIT,
  KIND_FAILURE,
  KIND_ITEMS,
  KIND_REPLY,
  kindOf,
  R_CORRELATION,
  R_METHOD,
  R_SENDER_UID,
  R_TYPE,
} from "../memory/record-descriptor.js";
import { isWithoutReferences, type Payload } from "../ring/payload.js";
import type { RingReader } from "../ring/ring-reader.js";
import type { Codec } from "../values/codec.js";
import type { PendingCalls } from "./pending-calls.js";

/** A reply that is passed on without being decoded. The next record overwrites its bytes. */
export class EncodedReply {
  readonly format: number;
  readonly bytes: Uint8Array;

  constructor(format: number, bytes: Uint8Array) {
    this.format = format;
    this.bytes = bytes;
  }
}

/** What callers tell a callee beside its mailbox, with the uid of their slot and the correlation of their call. */
export interface CallerNotices {
  /** The caller has given the call up, or reads the stream no further. */
  cancelled(callerUid: number, correlation: number): void;
  /** The reader of a stream takes `items` more, and has read `bytes` more. */
  granted(readerUid: number, correlation: number, items: number, bytes: number): void;
}

/** A record of a system lane. */
export interface SystemRecord {
  readonly kind: number;
  readonly number: number;
  readonly senderUid: number;
  readonly correlation: number;
}

/**
 * Takes what has arrived in the system lane, at most `limit` records: settles calls, and passes on what callers say.
 * Returns the number of records taken.
 */
export function takeReplies(
  system: RingReader,
  codec: Codec,
  pending: PendingCalls,
  notices: CallerNotices,
  limit = Infinity,
): number {
  let count = 0;
  while (count < limit && system.next()) {
    const { header, payload } = system;
    const kind = kindOf(header[R_TYPE]);
    if (kind === KIND_REPLY || kind === KIND_FAILURE) {
      takeReply(codec, pending, kind, header[R_METHOD], header[R_CORRELATION], payload);
    } else {
      const record = {
        kind,
        number: header[R_METHOD],
        senderUid: header[R_SENDER_UID],
        correlation: header[R_CORRELATION],
      };
      takeRecord(codec, pending, notices, record, payload);
    }
    system.commit();
    count++;
  }
  return count;
}

/** Takes a record of any kind, as it came in the lane or by way of main. */
export function takeRecord(
  codec: Codec,
  pending: PendingCalls,
  notices: CallerNotices,
  record: SystemRecord,
  payload: Payload,
  transferred?: readonly unknown[],
): void {
  const { kind, number, senderUid, correlation } = record;
  if (kind === KIND_ITEMS) takeItems(codec, pending, number, correlation, payload, transferred);
  else if (kind === KIND_CREDIT) notices.granted(senderUid, correlation, payload.words[0], payload.words[1]);
  else if (kind === KIND_CANCEL) notices.cancelled(senderUid, correlation);
  else takeReply(codec, pending, kind, number, correlation, payload, transferred);
}

function takeItems(
  codec: Codec,
  pending: PendingCalls,
  number: number,
  correlation: number,
  payload: Payload,
  transferred?: readonly unknown[],
): void {
  const call = pending.get(correlation);
  const reader = call?.reader;
  // It is not read any more, and its producer has been told so.
  if (call === undefined || reader === undefined) return;
  pending.begun(call);
  let items: readonly unknown[];
  try {
    items = codec.decodeArgs(payload, transferred);
  } catch (error) {
    reader.cancel({ failed: true, error });
    return;
  }
  reader.received(number, items, payload.length);
}

function takeReply(
  codec: Codec,
  pending: PendingCalls,
  kind: number,
  number: number,
  correlation: number,
  payload: Payload,
  transferred?: readonly unknown[],
): void {
  if (correlation < 0) {
    takeEnd(codec, pending, kind, number, correlation, payload);
    return;
  }
  const call = pending.take(correlation);
  // The call has timed out, or its caller has given it up.
  if (call === undefined) return;
  if (call.wantsBytes && kind === KIND_REPLY && isWithoutReferences(payload.format)) {
    const { format, bytes, length } = payload;
    call.succeed(new EncodedReply(format, bytes.subarray(0, length)));
    return;
  }
  let value: unknown;
  try {
    value = codec.decodeValue(payload, transferred);
  } catch (error) {
    call.fail(error, false);
    return;
  }
  if (kind === KIND_REPLY) call.succeed(value);
  else call.fail(value, true);
}

/** The end of a stream; `number` is how many records of items it had. */
function takeEnd(
  codec: Codec,
  pending: PendingCalls,
  kind: number,
  number: number,
  correlation: number,
  payload: Payload,
): void {
  const call = pending.get(correlation);
  if (call === undefined) return;
  pending.begun(call);
  let error: unknown;
  if (kind === KIND_FAILURE) {
    try {
      error = codec.decodeValue(payload);
    } catch (undecodable) {
      error = undecodable;
    }
  }
  call.reader?.finished(number, kind === KIND_REPLY ? { failed: false } : { failed: true, error });
}
