import { ActorError } from "../errors/errors.js";
import type { Transferable } from "../refs/actor-types.js";
import { checkTransferList, notTransferable, uncloneableFor } from "../refs/transfer-list.js";
import { FORMAT_PLAIN, MAX_MESSAGE_BYTES, newWritablePayload, type Payload } from "../ring/payload.js";
import type { Codec } from "./codec.js";
import { type Encoded, type EncodedText, encoded, type Primitive, payloadOf, type TaskValue } from "./encoded.js";

/** Above it copying a text twice takes longer than transferring a buffer. */
const MAX_TEXT_BYTES = 4_096;

/** Throws ERR_NOT_CLONEABLE with the path from `root` on, ERR_MESSAGE_TOO_LARGE. */
export function encodeTask(
  codec: Codec,
  id: string,
  value: unknown,
  transfer: readonly Transferable[],
  root: "task" | "result",
): TaskValue {
  if (isSmallPrimitive(value)) return { content: { primitive: value }, transferred: transfer };
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
  return { content: contentOf(payload), transferred: transfer };
}

function contentOf(payload: Payload): Encoded | EncodedText {
  const { format, length, shared, bytes } = payload;
  if (length > MAX_TEXT_BYTES || shared !== undefined) return encoded(payload);
  // The codec writes into the same memory again and again.
  if (lastView.buffer !== bytes.buffer || lastView.byteOffset !== bytes.byteOffset)
    lastView = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { format, text: lastView.toString("latin1", 0, length) };
}

let lastView: Buffer = Buffer.alloc(0);

function isSmallPrimitive(value: unknown): value is Primitive["primitive"] {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "undefined":
      return true;
    case "string":
      return value.length <= MAX_TEXT_BYTES;
    default:
      return value === null;
  }
}

export function decodeTask(codec: Codec, { content, transferred }: TaskValue): unknown {
  if ("primitive" in content) return content.primitive;
  return codec.decodeValue("text" in content ? payloadOfText(content) : payloadOf(content), transferred);
}

/** The decoder of plain trees keeps nothing of the bytes, so they share a buffer. */
const plain = newWritablePayload(MAX_TEXT_BYTES);

function payloadOfText({ format, text }: EncodedText): Payload {
  const payload = format === FORMAT_PLAIN ? plain : newWritablePayload(text.length);
  (payload.bytes as Buffer).write(text, "latin1");
  payload.length = text.length;
  payload.format = format;
  return payload;
}

/**
 * Throws ERR_NOT_CLONEABLE for a task or a result that no other process can have: shared memory, objects of the platform,
 * and what changes hands unless it is an ArrayBuffer, which is copied. A stream's port is not looked at.
 */
export function checkLeaves(codec: Codec, id: string, value: TaskValue, root: "task" | "result"): void {
  const { content, transferred, isStream } = value;
  const moved = isStream ? transferred.slice(0, -1) : transferred;
  const index = moved.findIndex((object) => !(object instanceof ArrayBuffer));
  if (index !== -1) {
    const path = `transfer[${index}]`;
    const message = `id=${id}: ${path} of the ${root} is no ArrayBuffer, and nothing else can go to another process`;
    throw new ActorError("ERR_NOT_CLONEABLE", message, { id, path });
  }
  if (!("bytes" in content)) return;
  try {
    checkLeavesMemory(codec, content, root);
  } catch (error) {
    throw uncloneableFor({ id }, error);
  }
}

/** Throws ERR_NOT_CLONEABLE, with the path from `root` on, for a value that shares memory: no other process can have it. */
export function checkLeavesMemory(codec: Codec, content: Encoded, root: string): void {
  if (content.shared === undefined) return;
  const payload = payloadOf(content);
  // Says where in the value it is.
  if (root === "args") codec.encodeArgs(codec.decodeArgs(payload), undefined, true);
  else codec.encodeValue(codec.decodeValue(payload), undefined, root, true);
  throw new ActorError("ERR_NOT_CLONEABLE", `${root}: it shares memory, and goes to another process`, { path: root });
}

/** The transfer list for a port. */
export function transferListOf({ content, transferred }: TaskValue): readonly Transferable[] {
  return "primitive" in content || "text" in content
    ? transferred
    : [content.bytes.buffer as ArrayBuffer, ...transferred];
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
