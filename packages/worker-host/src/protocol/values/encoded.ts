import { describe } from "../errors/describe.js";
import { type ExitReason, exitReasonOf } from "../errors/exit-reason.js";
import { isError } from "../errors/realms.js";
import { errorShell, partsOfError } from "../errors/remote-error.js";
import type { Transferable } from "../refs/actor-types.js";
import { isBytesFormat, isLargeEnoughForBytes, newPayload, type Payload, payloadOfBytes } from "../ring/payload.js";
import type { Codec } from "./codec.js";

/** A message value, encoded by the codec. */
export interface Encoded {
  readonly format: number;
  readonly bytes: Uint8Array;
  /** See Payload. The port clones it, and shared memory stays shared. */
  readonly shared?: readonly unknown[];
}

/**
 * A small payload, each byte a character of a text: a port clones that in a third of the time that it takes to transfer
 * or clone a buffer.
 */
export interface EncodedText {
  readonly format: number;
  readonly text: string;
}

/** What a port clones as the codec would. */
export interface Primitive {
  readonly primitive: undefined | null | boolean | number | string;
}

/** A task, or its result, on its way between threads. */
export interface TaskValue {
  readonly content: Encoded | EncodedText | Primitive;
  /** Objects that move without a copy. The content refers to each by its index. */
  readonly transferred: readonly Transferable[];
  /** The task's items are read: the last object that is transferred is the port that they go by. */
  readonly isStream?: true;
}

export function encoded(payload: Payload): Encoded {
  const { format, length, shared } = payload;
  const bytes = new Uint8Array(payload.bytes.subarray(0, length));
  return shared === undefined ? { format, bytes } : { format, bytes, shared };
}

export function payloadOf(value: Encoded): Payload {
  // Without a copy, because the decoder makes one.
  if (isBytesFormat(value.format) && isLargeEnoughForBytes(value.bytes.length))
    return payloadOfBytes(value.bytes, value.format, false);
  const payload = newPayload(value.bytes.length);
  payload.bytes.set(value.bytes);
  payload.length = value.bytes.length;
  payload.format = value.format;
  payload.shared = value.shared;
  return payload;
}

/** Encodes an exit reason or a thrown value. Never throws: a part that no message can carry is described in words. */
export function encodeForeign(codec: Codec, value: unknown): Encoded {
  for (const form of [() => value, () => inWords(value), () => new Error(`thrown: ${describe(value)}`)]) {
    try {
      return encoded(codec.encodeValue(form()));
    } catch {
      // The next form carries less.
    }
  }
  return encoded(codec.encodeValue("a value that cannot be carried"));
}

/**
 * Decodes an exit reason. Never throws: any other value, and the error of decoding, become a reason of kind `error`.
 */
export function decodeReason(codec: Codec, value: Encoded): ExitReason {
  const reason = decodeForeign(codec, value);
  return exitReasonOf(reason) ?? { kind: "error", error: reason };
}

/** Decodes a value of `encodeForeign`. Never throws: returns the error when the value cannot be decoded. */
export function decodeForeign(codec: Codec, value: Encoded): unknown {
  try {
    return codec.decodeValue(payloadOf(value));
  } catch (error) {
    return error;
  }
}

function inWords(value: unknown): unknown {
  const reason = exitReasonOf(value);
  if (reason === undefined) return carried(value);
  // The facts of a reason are texts, numbers and null. Other properties, which a user has added, are left out.
  const { error, detail, ...facts } = reason as ExitReason & { error?: unknown; detail?: unknown };
  const isPlain = (fact: unknown): boolean => typeof fact === "string" || typeof fact === "number" || fact === null;
  const plain = Object.entries(facts).filter(([, fact]) => isPlain(fact));
  const nested = "reason" in facts ? { reason: inWords(facts.reason) } : {};
  return {
    ...Object.fromEntries(plain),
    ...nested,
    ...(error === undefined ? {} : { error: carried(error) }),
    ...(detail === undefined ? {} : { detail: carried(detail) }),
  };
}

/** A copy of an error without its own properties; for another value an error that describes it. */
function carried(value: unknown): Error {
  if (!isError(value)) return new Error(`thrown: ${describe(value)}`);
  const { brand, name, message, stack } = partsOfError(value);
  return errorShell(brand, name, message, stack);
}
