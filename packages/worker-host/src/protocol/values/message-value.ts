import { ActorRef } from "../refs/actor-ref.js";
import { PoolRef } from "../refs/pool-ref.js";
import { hasOnlyElements } from "./array-keys.js";
import type { Reads } from "./reads.js";
import { lostBytes } from "./views.js";

/** A deeper or larger value becomes a value graph, which remembers the objects it has met. */
const MAX_DEPTH = 32;
const MAX_NODES = 100_000;

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const bytesPrototype = Uint8Array.prototype;

// The original: an actor's thread replaces the global by one that counts.
const { SharedArrayBuffer: Shared } = globalThis;

/** True for bytes to copy. False for those in shared memory, which stay shared. */
export function isOwnBytes(value: unknown): value is Uint8Array {
  // `isView` first, so that `instanceof` runs no trap of a Proxy.
  return ArrayBuffer.isView(value) && value instanceof Uint8Array && areOwnBytes(value);
}

export function areOwnBytes(bytes: Uint8Array): boolean {
  const { buffer } = bytes;
  return !isShared(buffer) && (bytes.length > 0 || lostBytes(bytes) === undefined);
}

function isShared(buffer: unknown): buffer is SharedArrayBuffer {
  return buffer instanceof Shared;
}

/** False for a text with half of a surrogate pair, which UTF-8 cannot encode. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

let nodes = 0;

/** The result of `plainCopy` for a value that it does not copy. */
export const NOT_PLAIN: unique symbol = Symbol("not plain");

/**
 * A copy of a plain tree: well-formed strings, numbers, booleans, null, undefined, plain objects and arrays, bytes and
 * references, which are all encoded as they are. NOT_PLAIN for anything else, which becomes a value graph.
 */
export function plainCopy(value: unknown, reads: Reads): unknown {
  nodes = 0;
  return copy(value, 0, reads);
}

function copy(value: unknown, depth: number, reads: Reads): unknown {
  switch (typeof value) {
    case "string":
      return isWellFormed(value) ? value : NOT_PLAIN;
    case "boolean":
    case "undefined":
      return value;
    case "number":
      return value !== 0 || 1 / value > 0 ? value : NOT_PLAIN;
    case "object":
      break;
    default:
      return NOT_PLAIN;
  }
  if (value === null) return value;
  if (depth > MAX_DEPTH || ++nodes > MAX_NODES) return NOT_PLAIN;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === objectPrototype) return copyObject(value, depth + 1, reads);
  if (prototype === arrayPrototype) return copyArray(value as unknown[], depth + 1, reads);
  if (prototype === bytesPrototype) return areOwnBytes(value as Uint8Array) ? value : NOT_PLAIN;
  return value instanceof ActorRef || value instanceof PoolRef ? value : NOT_PLAIN;
}

function copyObject(object: object, depth: number, reads: Reads): unknown {
  const copied: Record<string, unknown> = {};
  const keys = Object.keys(object);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (key === "__proto__" || !isWellFormed(key)) return NOT_PLAIN;
    const item = copy(reads.read(object, key, i), depth, reads);
    if (item === NOT_PLAIN) return item;
    copied[key] = item;
  }
  return copied;
}

function copyArray(items: unknown[], depth: number, reads: Reads): unknown {
  if (!hasOnlyElements(items)) return NOT_PLAIN;
  const copied: unknown[] = [];
  for (let i = 0; i < items.length; i++) {
    const item = reads.read(items, i, i);
    // A hole is not undefined.
    if (item === undefined && !(i in items)) return NOT_PLAIN;
    const itemCopy = copy(item, depth, reads);
    if (itemCopy === NOT_PLAIN) return itemCopy;
    copied.push(itemCopy);
  }
  return copied;
}
