import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { ActorError, isActorError } from "@mini-otp/worker-host/protocol/errors";
import { FORMAT_PARCEL, FORMAT_TRACED } from "@mini-otp/worker-host/protocol/ring";
import { type Codec, decodeReason, encodeForeign, payloadOf } from "@mini-otp/worker-host/protocol/values";

/** A value in bytes that leave, or have come. */
export interface Wire {
  readonly format: number;
  readonly payload: Uint8Array;
}

/** Throws what the codec does. The bytes are overwritten by the next. */
export function valueToWire(codec: Codec, value: unknown): Wire {
  const { format, bytes, length } = codec.encodeValue(value, undefined, "reply", true);
  return { format, payload: bytes.subarray(0, length) };
}

/** Whatever is in it: what no message can carry is put in words. */
export function reasonToWire(codec: Codec, reason: unknown): Wire {
  const { format, bytes } = encodeForeign(codec, reason);
  return { format, payload: bytes };
}

/** The reason as it arrives. */
export function carriedReason(codec: Codec, reason: ExitReason): ExitReason {
  return decodeReason(codec, encodeForeign(codec, reason));
}

export function reasonFromWire(codec: Codec, { format, payload }: Wire): ExitReason {
  return decodeReason(codec, { format, bytes: payload });
}

/** Throws for bytes that no sender makes. */
export function argsFromWire(codec: Codec, wire: Wire): unknown[] {
  return codec.decodeArgs(payloadOf(checked(wire)));
}

/** As `argsFromWire`. */
export function valueFromWire(codec: Codec, wire: Wire): unknown {
  return codec.decodeValue(payloadOf(checked(wire)));
}

function checked({ format, payload }: Wire): { format: number; bytes: Uint8Array } {
  if (format === FORMAT_PARCEL || (format & FORMAT_TRACED) !== 0) {
    throw new TypeError(`malformed message: format ${format} does not leave a process`);
  }
  return { format, bytes: payload };
}

/** An error of the runtime's says of an actor what it is called here; for another node its node comes first. */
export function named(error: unknown, node: string, path: string): unknown {
  if (!isActorError(error) || error.id !== path) return error;
  const { code, message, stack, ...facts } = error;
  const id = `${node}:${path}`;
  const named = new ActorError(code, message.replace(`id=${path}`, `id=${id}`), { ...facts, id });
  if (stack !== undefined) named.stack = stack.replace(`id=${path}`, `id=${id}`);
  return named;
}
