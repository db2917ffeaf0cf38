import { ActorRef } from "./actor-ref.js";
import { PoolRef } from "./pool-ref.js";

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
  return ArrayBuffer.isView(value) && value instanceof Uint8Array && !isShared(value.buffer);
}

export function isShared(buffer: unknown): buffer is SharedArrayBuffer {
  return buffer instanceof Shared;
}

let nodes = 0;

/** False for a text with half a surrogate pair, which UTF-8 cannot carry. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/**
 * True for a tree of what JSON nearly carries (well-formed strings, numbers, booleans, null, plain objects and arrays, and
 * undefined, NaN, bytes and references besides): such a value is encoded as it is. Anything else is a value graph.
 */
export function isPlainTree(value: unknown): boolean {
  nodes = 0;
  return isPlain(value, 0);
}

function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
      return isWellFormed(value);
    case "boolean":
    case "undefined":
      return true;
    case "number":
      return value !== 0 || 1 / value > 0;
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > MAX_DEPTH || ++nodes > MAX_NODES) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === objectPrototype) {
    for (const key in value) {
      if (key === "__proto__" || !isWellFormed(key) || !isPlain((value as Record<string, unknown>)[key], depth + 1))
        return false;
    }
    return true;
  }
  if (prototype === arrayPrototype) {
    const items = value as unknown[];
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (item === undefined ? !(i in items) : !isPlain(item, depth + 1)) return false;
    }
    return true;
  }
  if (prototype === bytesPrototype) return !isShared((value as Uint8Array).buffer);
  return value instanceof ActorRef || value instanceof PoolRef;
}
