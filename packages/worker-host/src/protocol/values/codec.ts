import { addExtension, Packr } from "#msgpackr";
import { ActorRef, type Sender } from "../refs/actor-ref.js";
import { EntityRef } from "../refs/entity-ref.js";
import { FarRouterRef } from "../refs/far-router-ref.js";
import { PoolRef } from "../refs/pool-ref.js";
import { RouterRef } from "../refs/router-ref.js";
import { incoming } from "../refs/wire-value.js";
import {
  copyOut,
  FORMAT_BUFFER,
  FORMAT_BYTES,
  FORMAT_GRAPH,
  FORMAT_NONE,
  FORMAT_PACKED,
  FORMAT_PLAIN,
  growPayload,
  isBytesFormat,
  isLargeEnoughForBytes,
  newPayload,
  newWritablePayload,
  type Payload,
  payloadOfBytes,
} from "../ring/payload.js";
import { fromGraph } from "./graph-reader.js";
import { isOwnBytes, NOT_PLAIN, plainCopy } from "./message-value.js";
import { PlainDecoder } from "./plain-decoder.js";
import { PlainEncoder } from "./plain-encoder.js";
import type { Reads } from "./reads.js";
import { toGraph } from "./value-graph.js";

const REUSE_BUFFER_MODE = 512;
const SCRATCH_BYTES = 64 * 1024;
/** msgpackr keeps this much free before it takes a buffer. */
const SPARE_BYTES = 4096;
/** A scratch buffer that one message made larger than this is not kept. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

const packr = new Packr({ useRecords: false, variableMapSize: true, copyBuffers: true, useToJSON: false } as object);

const REFERENCE_TYPE = 0x52;
/** Translates references for bytes that leave the process. Both methods throw for what cannot be a reference there. */
export interface ForeignReferences {
  /** Returns the message value that stands for the reference. */
  exported(ref: ActorRef): unknown[];
  imported(wire: readonly unknown[]): ActorRef;
}

// The extension is global to msgpackr, so each decode first sets the sender of its references.
let decodingFor: Sender;
// Set while bytes that leave the process are made or read.
let foreign: ForeignReferences | undefined;
/** References to pools that the last `pack` has met. */
let poolsMet = 0;
addExtension({
  Class: ActorRef,
  type: REFERENCE_TYPE,
  write: (ref: ActorRef) => foreign?.exported(ref) ?? [ref.address, ref.uid, ref.id],
  read: (wire: [number, number, string]) => foreign?.imported(wire) ?? new ActorRef(decodingFor, ...wire),
} as never);

type KeyedWire = [address: number, uid: number, id: string, keyHash: number | undefined];

function routerIn([address, uid, id, keyHash]: KeyedWire): ActorRef {
  const own = keyHash === undefined ? decodingFor.ownRef?.(uid) : undefined;
  return own ?? new RouterRef(decodingFor, address, uid, id, {}, keyHash);
}

function farRouterIn([address, uid, id, keyHash]: KeyedWire): ActorRef {
  return new FarRouterRef(decodingFor, address, uid, id, {}, keyHash);
}

const ROUTER_REFERENCE_TYPE = 0x53;
// Added after ActorRef, because msgpackr asks the last extension first and a RouterRef is an ActorRef too.
addExtension({
  Class: RouterRef,
  type: ROUTER_REFERENCE_TYPE,
  write: (ref: RouterRef) => foreign?.exported(ref) ?? [ref.address, ref.uid, ref.id, ref.keyHash],
  read: (wire: KeyedWire) => foreign?.imported(wire) ?? routerIn(wire),
} as never);

const ENTITY_REFERENCE_TYPE = 0x55;
addExtension({
  Class: EntityRef,
  type: ENTITY_REFERENCE_TYPE,
  write: (ref: EntityRef) => foreign?.exported(ref) ?? [ref.address, ref.uid, ref.ofAll, ref.key],
  read: (wire: [number, number, string, string | undefined]) =>
    foreign?.imported(wire) ?? new EntityRef(decodingFor, ...wire),
} as never);

const FAR_ROUTER_REFERENCE_TYPE = 0x56;
addExtension({
  Class: FarRouterRef,
  type: FAR_ROUTER_REFERENCE_TYPE,
  write: (ref: FarRouterRef) => foreign?.exported(ref) ?? [ref.address, ref.uid, ref.id, ref.keyHash],
  read: (wire: KeyedWire) => foreign?.imported(wire) ?? farRouterIn(wire),
} as never);

const POOL_REFERENCE_TYPE = 0x54;
addExtension({
  Class: PoolRef,
  type: POOL_REFERENCE_TYPE,
  write: (ref: PoolRef) => {
    poolsMet++;
    return [ref.uid, ref.id];
  },
  read: ([uid, id]: [number, string]) => {
    if (foreign !== undefined) throw new TypeError("malformed message: a pool does not leave its process");
    return decodingFor.ownPool?.(uid) ?? new PoolRef(decodingFor, uid, id);
  },
} as never);

/**
 * Turns arguments and replies into bytes and back, for one thread. The next encode overwrites the payload of this one,
 * so push it first.
 */
export class Codec {
  readonly #sender: Sender;
  readonly #foreign: ForeignReferences | undefined;
  #outgoing: Payload = newWritablePayload(SCRATCH_BYTES);
  readonly #encoder = new PlainEncoder();
  readonly #decoder = new PlainDecoder();

  /** References in decoded messages send through `sender`. With `foreign`, the bytes are for other processes. */
  constructor(sender: Sender, foreign?: ForeignReferences) {
    this.#sender = sender;
    this.#foreign = foreign;
  }

  /**
   * Throws ERR_NOT_CLONEABLE with the path of the value that no message can carry. Objects in `transfer` are left out;
   * the payload refers to them by index. A payload with `shared` has to go by a port. With `leaves`, the message carries
   * only what another process can have.
   */
  encodeArgs(args: readonly unknown[], transfer?: readonly unknown[], leaves = false): Payload {
    if (args.length === 0) return this.#encodeNothing();
    if (transfer !== undefined) return this.#packGraph(args, "args", transfer, undefined, leaves);
    if (args.length === 1 && isOwnBytes(args[0])) return this.#encodeBytes(args[0]);
    return this.#encode(args, "args", true, leaves);
  }

  /**
   * Throws ERR_NOT_CLONEABLE with the path, from `root` on, of the value that no message can carry. Objects in
   * `transfer` are left out, as in `encodeArgs`.
   */
  encodeValue(value: unknown, transfer?: readonly unknown[], root = "reply", leaves = false): Payload {
    if (transfer !== undefined) return this.#packGraph(value, root, transfer);
    if (value === undefined) return this.#encodeNothing();
    if (isOwnBytes(value)) return this.#encodeBytes(value);
    return this.#encode(value, root, false, leaves);
  }

  /** Throws when the payload encodes no arguments. */
  decodeArgs(payload: Payload, transferred?: readonly unknown[]): unknown[] {
    if (payload.format === FORMAT_NONE) return [];
    if (isBytesFormat(payload.format)) return [bytesOf(payload)];
    const args =
      payload.format === FORMAT_PLAIN
        ? this.#decoder.decode(payload.bytes, payload.length)
        : this.#decode(payload, transferred);
    if (!Array.isArray(args)) throw new TypeError("malformed message: the arguments are not a list");
    return payload.format === FORMAT_GRAPH ? args.map(incoming) : args;
  }

  /** Throws when the payload encodes no value. */
  decodeValue(payload: Payload, transferred?: readonly unknown[]): unknown {
    if (payload.format === FORMAT_NONE) return undefined;
    if (payload.format === FORMAT_PLAIN) return this.#decoder.decode(payload.bytes, payload.length);
    if (isBytesFormat(payload.format)) return bytesOf(payload);
    return incoming(this.#decode(payload, transferred));
  }

  #encodeNothing(): Payload {
    const payload = this.#outgoing;
    payload.length = 0;
    payload.format = FORMAT_NONE;
    payload.shared = undefined;
    return payload;
  }

  #encodeBytes(value: Uint8Array): Payload {
    const length = value.length;
    const isPlain = Object.getPrototypeOf(value) === Uint8Array.prototype;
    const format = !isPlain && Buffer.isBuffer(value) ? FORMAT_BUFFER : FORMAT_BYTES;
    if (isLargeEnoughForBytes(length)) return payloadOfBytes(value, format, false);
    const payload = this.#fresh();
    payload.length = length;
    payload.format = format;
    payload.bytes.set(value);
    return payload;
  }

  #encode(value: unknown, root: string, isOwn: boolean, leaves: boolean): Payload {
    const payload = this.#fresh();
    const outcome = this.#encoder.encode(value, payload.bytes as Buffer, isOwn);
    if (typeof outcome === "number") {
      payload.length = outcome;
      payload.format = FORMAT_PLAIN;
      return payload;
    }
    const copy = this.#copyOf(value, outcome);
    if (copy !== NOT_PLAIN) {
      const packed = this.#pack(copy, FORMAT_PACKED);
      // The value graph says where the pool is.
      if (!leaves || poolsMet === 0) return packed;
    }
    outcome.rewind();
    return this.#packGraph(value, root, undefined, outcome, leaves);
  }

  #copyOf(value: unknown, reads: Reads): unknown {
    try {
      return plainCopy(value, reads);
    } catch {
      // A getter has thrown. The value graph finds out where it is.
      return NOT_PLAIN;
    }
  }

  #packGraph(
    value: unknown,
    root: string,
    transfer?: readonly unknown[],
    reads?: Reads,
    leaves: boolean = false,
  ): Payload {
    const shared: unknown[] = [];
    const payload = this.#pack(toGraph(value, root, transfer, shared, reads, leaves), FORMAT_GRAPH);
    if (shared.length > 0) payload.shared = shared;
    return payload;
  }

  #pack(value: unknown, format: number): Payload {
    const payload = this.#fresh();
    packr.useBuffer(payload.bytes);
    foreign = this.#foreign;
    poolsMet = 0;
    const packed = packr.pack(value, REUSE_BUFFER_MODE) as Uint8Array & { start: number; end: number };
    payload.length = packed.end - packed.start;
    payload.format = format;
    if (packed !== payload.bytes) {
      growPayload(payload, payload.length + SPARE_BYTES);
      payload.bytes.set(packed.subarray(packed.start, packed.end));
    }
    return payload;
  }

  #decode(payload: Payload, transferred?: readonly unknown[]): unknown {
    decodingFor = this.#sender;
    foreign = this.#foreign;
    const value = packr.unpack(payload.bytes, payload.length as never) as unknown;
    return payload.format === FORMAT_GRAPH
      ? fromGraph(value, transferred, payload.shared, this.#foreign !== undefined)
      : value;
  }

  #fresh(): Payload {
    if (this.#outgoing.bytes.length > MAX_KEPT_BYTES) this.#outgoing = newWritablePayload(SCRATCH_BYTES);
    this.#outgoing.shared = undefined;
    return this.#outgoing;
  }
}

function bytesOf(payload: Payload): Uint8Array {
  const bytes = payload.own ? payload.bytes : Uint8Array.prototype.slice.call(payload.bytes, 0, payload.length);
  payload.own = false;
  return payload.format === FORMAT_BUFFER
    ? Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
    : bytes;
}

/** A copy of a payload, which outlives the next encode. */
export function keepPayload(payload: Payload): Payload {
  if (payload.words.length === 0) {
    const bytes = Uint8Array.prototype.slice.call(payload.bytes, 0, payload.length);
    return { ...payload, bytes };
  }
  const kept = newPayload(payload.length);
  copyOut(payload.words, payload.bytes, 0, payload.length, kept);
  kept.format = payload.format;
  kept.shared = payload.shared;
  return kept;
}
