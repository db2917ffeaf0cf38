import { ActorError } from "../errors/errors.js";
import type { Transferable } from "../refs/actor-types.js";
import { checkTransferList, notTransferable, uncloneableFor } from "../refs/transfer-list.js";
import { MAX_MESSAGE_BYTES, type Payload } from "../ring/payload.js";
import type { Codec } from "./codec.js";
import { encoded, payloadOf, type TaskValue } from "./encoded.js";

/** Throws ERR_NOT_CLONEABLE with the path from `root` on, ERR_MESSAGE_TOO_LARGE. */
export function encodeTask(
  codec: Codec,
  id: string,
  value: unknown,
  transfer: readonly Transferable[],
  root: "task" | "result",
): TaskValue {
  let payload: Payload;
  try {
    payload = codec.encodeValue(value, transfer.length === 0 ? undefined : transfer, root);
  } catch (error) {
    throw uncloneableFor({ id }, error);
  }
  if (payload.length > MAX_MESSAGE_BYTES) {
    const facts = { id, bytes: payload.length, limit: MAX_MESSAGE_BYTES };
    const message = `id=${id}: ${root} of ${facts.bytes} bytes, at most ${facts.limit}; transfer what is larger`;
    throw new ActorError("ERR_MESSAGE_TOO_LARGE", message, facts);
  }
  return { content: encoded(payload), transferred: transfer };
}

export function decodeTask(codec: Codec, { content, transferred }: TaskValue): unknown {
  return codec.decodeValue(payloadOf(content), transferred);
}

/** The transfer list for a port. */
export function transferListOf({ content, transferred }: TaskValue): Transferable[] {
  return [content.bytes.buffer as ArrayBuffer, ...transferred];
}

/**
 * Detaches the transferred objects from this thread's code at once. Throws ERR_NOT_CLONEABLE for one that cannot be
 * transferred any more.
 */
export function takeTransferred(id: string, value: TaskValue): TaskValue {
  const { transferred } = value;
  if (transferred.length === 0) return value;
  try {
    checkTransferList(transferred);
    return { ...value, transferred: structuredClone(transferred, { transfer: [...transferred] as never }) };
  } catch (error) {
    throw notTransferable({ id }, error);
  }
}
