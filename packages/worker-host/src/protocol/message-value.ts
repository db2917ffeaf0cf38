import { ActorRef } from "./actor-ref.js";
import { ActorError } from "./errors.js";

/** A value JSON could nearly carry (plus undefined, NaN, bytes and references): the codec's fast path. */
export const PLAIN = 0;
/** Needs the codec's rich format: Map, Set, Date, bigint, cycles, class instances without methods, … */
export const RICH = 1;

const MAX_DEPTH = 256;
/** Deeper or larger than this, the slow walk decides: it remembers what it has seen. */
const FAST_DEPTH = 32;
const FAST_NODES = 100_000;

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const bytesPrototype = Uint8Array.prototype;

let nodes = 0;
/** PLAIN or RICH. Throws ERR_NOT_CLONEABLE naming the path (`args[0].handlers.onDone`) for what no message can carry. */
export function classify(value: unknown, root: string): number {
  nodes = 0;
  if (isPlain(value, 0)) return PLAIN;
  inspect(value, root, 0, new Set());
  return RICH;
}

function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
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
  if (depth > FAST_DEPTH || ++nodes > FAST_NODES) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === objectPrototype) {
    for (const key in value) {
      if (key === "__proto__" || !isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
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
  return prototype === bytesPrototype || value instanceof ActorRef;
}

/** The thorough walk: cycles, depth, and a path for whatever cannot be carried. */
function inspect(value: unknown, path: string, depth: number, seen: Set<object>): void {
  if (typeof value === "function" || typeof value === "symbol") throw notCloneable(path, `a ${typeof value}`);
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  if (depth > MAX_DEPTH) {
    throw new ActorError("ERR_NOT_CLONEABLE", `${shorten(path)} is nested deeper than ${MAX_DEPTH} levels`, { path });
  }
  seen.add(value);
  if (value instanceof ActorRef || ArrayBuffer.isView(value)) return;
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      inspect(item, `${path}[${index}]`, depth + 1, seen);
    });
    return;
  }
  if (value instanceof Map) {
    for (const [key, item] of value) {
      inspect(key, `${path}.<key>`, depth + 1, seen);
      inspect(item, `${path}.get(${String(key)})`, depth + 1, seen);
    }
    return;
  }
  if (value instanceof Set) {
    for (const item of value) inspect(item, `${path}.<item>`, depth + 1, seen);
    return;
  }
  if (value instanceof Date || value instanceof RegExp || value instanceof ArrayBuffer || value instanceof Error)
    return;
  const obstacle = obstacleOf(value);
  if (obstacle !== undefined) throw notCloneable(path, obstacle);
  for (const key of Object.keys(value)) {
    if (key === "__proto__") throw notCloneable(`${path}.__proto__`, "a property that would change a prototype");
    inspect((value as Record<string, unknown>)[key], member(path, key), depth + 1, seen);
  }
}

/** Why an object is more than data, or undefined. */
function obstacleOf(value: object): string | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === objectPrototype) return undefined;
  const name = (value.constructor as { name?: string } | undefined)?.name ?? "unknown class";
  for (
    let level: object | null = prototype;
    level !== null && level !== objectPrototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const key of Reflect.ownKeys(level)) {
      if (key !== "constructor") return `an instance of ${name}, which has methods`;
    }
  }
  return undefined;
}

function notCloneable(path: string, what: string): ActorError {
  return new ActorError("ERR_NOT_CLONEABLE", `${shorten(path)} is ${what}; a message carries data only`, { path });
}

function member(path: string, key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function shorten(path: string): string {
  return path.length <= 200 ? path : `${path.slice(0, 200)}…`;
}
