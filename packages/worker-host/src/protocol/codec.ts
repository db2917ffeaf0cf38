import { addExtension, Packr } from "msgpackr/pack";
import { ActorRef, type Sender } from "./actor-ref.js";
import { classify, PLAIN } from "./message-value.js";
import { copyOut, growPayload, newPayload, newWritablePayload, type Payload } from "./payload.js";
import { fromPlainError, type PlainError, toPlainError } from "./remote-error.js";

/** How a payload is encoded. */
export const FORMAT_NONE = 0;
export const FORMAT_PLAIN = 1;
export const FORMAT_RICH = 2;
/** One Uint8Array and nothing else: its bytes as they are. */
export const FORMAT_BYTES = 3;

const REUSE_BUFFER_MODE = 512;
const SCRATCH_BYTES = 64 * 1024;
/** msgpackr keeps this much free before it takes a buffer. */
const SPARE_BYTES = 4096;

const plain = new Packr({ useRecords: false, variableMapSize: true, copyBuffers: true, useToJSON: false } as object);
const rich = new Packr({
  structuredClone: true,
  moreTypes: true,
  copyBuffers: true,
  useBigIntExtension: true,
  useToJSON: false,
} as object);

const ERROR_TYPE = 0x45;
addExtension({
  Class: Error,
  type: ERROR_TYPE,
  write: (error: Error) => toPlainError(error, messageValue),
  read: (data: unknown) => fromPlainError(data as PlainError),
} as never);

const REFERENCE_TYPE = 0x52;
// The extension is global to msgpackr; every decode says first which sender its references belong to.
let decodingFor: Sender;
addExtension({
  Class: ActorRef,
  type: REFERENCE_TYPE,
  write: (ref: ActorRef) => [ref.address, ref.uid, ref.id],
  read: ([address, uid, id]: [number, number, string]) => new ActorRef(decodingFor, address, uid, id),
} as never);

function messageValue(value: unknown): unknown {
  classify(value, "error");
  return value;
}

/**
 * Turns arguments and replies into bytes and back, for one thread. `outgoing` is overwritten by the next
 * encode: push it first.
 */
export class Codec {
  readonly outgoing: Payload = newWritablePayload(SCRATCH_BYTES);
  readonly #sender: Sender;

  /** References in decoded messages send through `sender`. */
  constructor(sender: Sender) {
    this.#sender = sender;
  }

  /** Throws ERR_NOT_CLONEABLE naming the path of what cannot be carried. */
  encodeArgs(args: readonly unknown[]): Payload {
    const payload = this.outgoing;
    if (args.length === 0) {
      payload.length = 0;
      payload.format = FORMAT_NONE;
      return payload;
    }
    if (args.length === 1 && args[0] instanceof Uint8Array) return this.#encodeBytes(args[0]);
    return this.#pack(args, classify(args, "args"));
  }

  /** Throws ERR_NOT_CLONEABLE naming the path of what cannot be carried. */
  encodeValue(value: unknown): Payload {
    const payload = this.outgoing;
    if (value === undefined) {
      payload.length = 0;
      payload.format = FORMAT_NONE;
      return payload;
    }
    if (value instanceof Uint8Array) return this.#encodeBytes(value);
    return this.#pack(value, classify(value, "reply"));
  }

  decodeArgs(payload: Payload): unknown[] {
    if (payload.format === FORMAT_NONE) return [];
    if (payload.format === FORMAT_BYTES) return [payload.bytes.slice(0, payload.length)];
    const args = unpack(payload, this.#sender);
    if (!Array.isArray(args)) throw new TypeError("message arguments are not a list");
    return args;
  }

  decodeValue(payload: Payload): unknown {
    if (payload.format === FORMAT_NONE) return undefined;
    if (payload.format === FORMAT_BYTES) return payload.bytes.slice(0, payload.length);
    return unpack(payload, this.#sender);
  }

  #encodeBytes(value: Uint8Array): Payload {
    const payload = this.outgoing;
    const length = value.length;
    if (length > payload.bytes.length) growPayload(payload, length);
    payload.length = length;
    payload.format = FORMAT_BYTES;
    payload.bytes.set(value);
    return payload;
  }

  #pack(value: unknown, kind: number): Payload {
    const payload = this.outgoing;
    const packr = kind === PLAIN ? plain : rich;
    packr.useBuffer(payload.bytes);
    const packed = packr.pack(value, REUSE_BUFFER_MODE) as Uint8Array & { start?: number; end?: number };
    if (packed === payload.bytes) {
      payload.length = packed.end ?? 0;
    } else {
      // Outgrown, or cyclic (then msgpackr inserts ids into a copy).
      const start = packed.start ?? 0;
      const length = packed.start === undefined ? packed.length : (packed.end ?? 0) - start;
      if (length + SPARE_BYTES > payload.bytes.length) growPayload(payload, length + SPARE_BYTES);
      payload.bytes.set(packed.subarray(start, start + length));
      payload.length = length;
    }
    payload.format = kind === PLAIN ? FORMAT_PLAIN : FORMAT_RICH;
    return payload;
  }
}

function unpack(payload: Payload, sender: Sender): unknown {
  decodingFor = sender;
  const packr = payload.format === FORMAT_PLAIN ? plain : rich;
  return packr.unpack(payload.bytes, payload.length as never) as unknown;
}

/** A payload of its own, for what must outlive the next encode. */
export function keepPayload(payload: Payload): Payload {
  const kept = newPayload(payload.length);
  copyOut(payload.words, payload.bytes, 0, payload.length, kept);
  kept.format = payload.format;
  return kept;
}
