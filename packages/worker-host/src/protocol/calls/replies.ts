import { KIND_CANCEL, KIND_REPLY, kindOf, R_CORRELATION, R_SENDER_UID, R_TYPE } from "../memory/record-descriptor.js";
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

/** Called when a caller has given a call up, with the uid of the caller's slot and the call's correlation. */
export type OnCancel = (callerUid: number, correlation: number) => void;

/**
 * Settles calls whose replies have arrived in the system lane, at most `limit`. Returns the number of records taken.
 */
export function takeReplies(
  system: RingReader,
  codec: Codec,
  pending: PendingCalls,
  onCancel: OnCancel,
  limit = Infinity,
): number {
  let count = 0;
  while (count < limit && system.next()) {
    const { header, payload } = system;
    const kind = kindOf(header[R_TYPE]);
    if (kind === KIND_CANCEL) onCancel(header[R_SENDER_UID], header[R_CORRELATION]);
    else takeReply(codec, pending, kind, header[R_CORRELATION], payload);
    system.commit();
    count++;
  }
  return count;
}

export function takeReply(
  codec: Codec,
  pending: PendingCalls,
  kind: number,
  correlation: number,
  payload: Payload,
  transferred?: readonly unknown[],
): void {
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
