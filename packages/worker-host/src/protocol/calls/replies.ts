import { KIND_CANCEL, KIND_REPLY, kindOf, R_CORRELATION, R_SENDER_UID, R_TYPE } from "../memory/record-descriptor.js";
import type { Payload } from "../ring/payload.js";
import type { RingReader } from "../ring/ring-reader.js";
import type { Codec } from "../values/codec.js";
import type { PendingCalls } from "./pending-calls.js";

/** Called when a caller has given up: its slot's uid, and the call's correlation. */
export type OnCancel = (callerUid: number, correlation: number) => void;

/** Settles the calls whose replies have arrived in the system lane, at most `limit`. Returns how many records there were. */
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
  // Its time may have been over, or its caller has given it up.
  if (call === undefined) return;
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
