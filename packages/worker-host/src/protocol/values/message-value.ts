import { ActorRef } from "../refs/actor-ref.js";
import { PoolRef } from "../refs/pool-ref.js";
import { hasOnlyElements } from "./array-keys.js";
import type { Reads } from "./reads.js";
import { lostBytes } from "./views.js";

/** Deeper or larger than this, a value goes the thorough way, which remembers what it has seen. */
const MAX_DEPTH = 32;
const MAX_NODES = 100_000;

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const bytesPrototype = Uint8Array.prototype;

// As it was before the actor's thread counted those it makes.
const { SharedArrayBuffer: Shared } = globalThis;

/** Bytes that can be copied. Those in shared memory are to stay shared. */
export function isOwnBytes(value: unknown): value is Uint8Array {
  // No trap of a Proxy is asked whether it is a view.
  return ArrayBuffer.isView(value) && value instanceof Uint8Array && areOwnBytes(value);
}

export function areOwnBytes(bytes: Uint8Array): boolean {
  const { buffer } = bytes;
  return !isShared(buffer) && (bytes.length > 0 || lostBytes(bytes) === undefined);
}

function isShared(buffer: unknown): buffer is SharedArrayBuffer {
  return buffer instanceof Shared;
}

/** False for a text with half a surrogate pair, which UTF-8 cannot carry. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

let nodes = 0;

/** In the place of a value that is none of what `plainCopy` copies. */
export const NOT_PLAIN: unique symbol = Symbol("not plain");

/**
 * A copy of a tree of what JSON nearly carries (well-formed strings, numbers, booleans, null, plain objects and arrays, and
 * undefined, NaN, bytes and references besides), which are encoded as they are. Anything else is a value graph.
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
