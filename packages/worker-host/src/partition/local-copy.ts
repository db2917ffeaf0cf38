import { ActorRef } from "../protocol/refs/actor-ref.js";
import { hasOnlyElements } from "../protocol/values/array-keys.js";
import { areOwnBytes } from "../protocol/values/message-value.js";
import { codeOf, follows, MATCHES, type Shape, ShapeTable, shapeOf } from "../protocol/values/plain-shapes.js";
import { copyValue } from "../protocol/values/value-graph.js";

/** As the codec's plain format: a deeper value may be a circle, which the value graph copies. */
const MAX_DEPTH = 16;
const OBJECT_BYTES = 8;
const VALUE_BYTES = 8;

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const bytesPrototype = Uint8Array.prototype;
const bufferPrototype = Buffer.prototype;

const hasOwn = Object.prototype.hasOwnProperty;

/** Copies objects of one shape. */
interface Copier {
  matches(object: object): boolean;
  copy(object: any, depth: number): object;
}

const shapes = new ShapeTable<Copier>();
/** Of the object that was copied last. */
let latest: Shape<Copier> | undefined;
const step = (value: unknown, depth: number): unknown => {
  if (typeof value === "number") {
    bytes += VALUE_BYTES;
    return value;
  }
  return copy(value, depth);
};
const sourceOf = ({ keys }: Shape<Copier>): string => `({
    matches: ${MATCHES},
    copy: (object, depth) => ({${keys.map((key) => `${key}: step(object.${key}, depth)`).join(", ")}}),
  })`;
const partsOf = ({ keys }: Shape<Copier>): object => ({ keys, hasOwn, step });

/** Thrown for a value that needs the value graph. */
const NOT_PLAIN = new Error("not a plain tree");

let bytes = 0;

/** About how many bytes the last copy takes: what a mailbox of a light actor counts for it. */
export function copiedBytes(): number {
  return bytes;
}

/**
 * What the receiver in the same thread gets of a message's arguments: a copy, as one that came through a ring. Throws
 * ERR_NOT_CLONEABLE with the path of what no message can carry.
 */
export function copyArgs(args: readonly unknown[]): unknown[] {
  bytes = 0;
  try {
    if (args.length === 1) return [step(args[0], 0)];
    const copies = new Array<unknown>(args.length);
    for (let i = 0; i < args.length; i++) copies[i] = step(args[i], 0);
    return copies;
  } catch {
    bytes += OBJECT_BYTES * 16;
    return copyValue([...args], "args") as unknown[];
  }
}

/** The same for one value: a reply, named `root` in errors. */
export function copyOne(value: unknown, root: string): unknown {
  bytes = 0;
  try {
    return step(value, 0);
  } catch {
    return copyValue(value, root);
  }
}

function copy(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "object":
      break;
    case "string":
      bytes += value.length;
      return value;
    case "function":
    case "symbol":
      throw NOT_PLAIN;
    default:
      bytes += VALUE_BYTES;
      return value;
  }
  if (value === null) return value;
  if (depth > MAX_DEPTH) throw NOT_PLAIN;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === objectPrototype) return copyObject(value as Record<string, unknown>, depth + 1);
  if (prototype === arrayPrototype) return copyArray(value as unknown[], depth + 1);
  if (prototype === bufferPrototype || prototype === bytesPrototype) return copyBytes(value as Uint8Array);
  if (prototype === ActorRef.prototype) return value;
  throw NOT_PLAIN;
}

function copyObject(object: Record<string, unknown>, depth: number): object {
  bytes += OBJECT_BYTES;
  // Messages repeat themselves: most objects are of the shape that came here last time.
  const expected = latest?.next;
  if (expected?.code?.matches(object)) {
    latest = expected;
    return expected.code.copy(object, depth);
  }
  const keys = Object.keys(object);
  const hash = hashOf(keys);
  const known = shapes.at(hash);
  if (known !== undefined && hasKeys(known, keys)) {
    const code = known.code ?? codeOf(known, sourceOf, partsOf);
    if (code !== undefined) {
      if (latest !== undefined) follows(latest, known);
      latest = known;
      return code.copy(object, depth);
    }
  } else {
    const shape = shapeOf<Copier>(keys);
    // A key like __proto__ would touch a prototype.
    if (shape === undefined) throw NOT_PLAIN;
    shapes.offer(hash, shape);
  }
  const out: Record<string, unknown> = {};
  for (const key of keys) out[key] = step(object[key], depth);
  return out;
}

function copyArray(array: unknown[], depth: number): unknown[] {
  bytes += OBJECT_BYTES;
  const { length } = array;
  if (!hasOnlyElements(array)) throw NOT_PLAIN;
  const out = new Array<unknown>(length);
  for (let i = 0; i < length; i++) out[i] = step(array[i], depth);
  return out;
}

function copyBytes(value: Uint8Array): Uint8Array {
  // What is shared stays shared.
  if (!areOwnBytes(value)) throw NOT_PLAIN;
  bytes += OBJECT_BYTES + value.length;
  return Buffer.isBuffer(value) ? Buffer.from(value) : value.slice();
}

function hashOf(keys: readonly string[]): number {
  let hash = keys.length;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    hash = (Math.imul(hash, 31) + key.length + (key.length > 0 ? key.charCodeAt(0) : 0)) | 0;
  }
  return hash >>> 0;
}

function hasKeys({ keys: known }: Shape<Copier>, keys: readonly string[]): boolean {
  if (known.length !== keys.length) return false;
  for (let i = 0; i < keys.length; i++) if (known[i] !== keys[i]) return false;
  return true;
}
