import { hasOnlyElements } from "./array-keys.js";
import { areOwnBytes } from "./message-value.js";
import {
  MAX_DEPTH,
  MAX_KEYS,
  MAX_KEYS_BYTES,
  MAX_SHORT_TEXT,
  TAG_ARRAY,
  TAG_BUFFER,
  TAG_BYTES,
  TAG_FALSE,
  TAG_FLOAT64,
  TAG_INT32,
  TAG_LONG_ARRAY,
  TAG_LONG_TEXT,
  TAG_NULL,
  TAG_OBJECT,
  TAG_TEXT,
  TAG_TRUE,
  TAG_UNDEFINED,
  TAG_WIDE_TEXT,
} from "./plain-format.js";
import { codeOf, follows, MATCHES, type Shape, ShapeTable, shapeOf } from "./plain-shapes.js";
import { type Failure, readBefore } from "./read-before.js";
import { Reads } from "./reads.js";

const MAX_TEXT = 0xffff;
const MAX_ITEMS = 0xffff;
/** Longer text is written by one native call of 90 ns; the loop takes 2 ns a character (Node 20). */
const LOOP_TEXT = 40;
/** The most bytes of a character in UTF-8. */
const MAX_CHARACTER_BYTES = 4;
/** A number, or a text that the loop writes, with its tag and its length. */
const MAX_LEAF_BYTES = 3 + LOOP_TEXT;
/** The most bytes written without a check for room: an object's keys, and its numbers and texts. */
const SLACK_BYTES = MAX_KEYS_BYTES + 16 + MAX_KEYS * MAX_LEAF_BYTES;

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const bytesPrototype = Uint8Array.prototype;
const bufferPrototype = Buffer.prototype;
const hasOwn = Object.prototype.hasOwnProperty;

/** Instead of a position: the value needs another encoding. */
const REFUSED = -1;

let bytes: Buffer;
let view: DataView;
let limit = 0;
/** Where the value that was refused would begin. */
let refusedAt = 0;
/** The object or array that could not be written, and those around it: the innermost first. */
let failures: Failure[] = [];
/** True while a value is being encoded. */
let active = false;
/** True when another value was encoded meanwhile, by a getter. */
let disturbed = false;

/** Code for the objects of one shape. */
interface ObjectWriter {
  /** Whether an object has the shape's keys, in its order. False too where a prototype has enumerable properties. */
  matches(object: object): boolean;
  /** Writes an object of this shape. */
  put(object: object, depth: number, at: number, view: DataView): number;
}

type WriterShape = Shape<ObjectWriter>;

const shapes = new ShapeTable<ObjectWriter>();
/** The shape of the object that was begun last. */
let latest: WriterShape | undefined;

/** Numbers and texts are told apart here, where V8 learns which of them a property is. */
const writing = (name: string): string =>
  `(at = typeof ${name} === "number" ? writeNumber(${name}, at) : typeof ${name} === "string" ? writeText(${name}, at) : write(${name}, depth, at)) >= 0`;
/** Reads each property once, also for an object that turns out to need another encoding. */
const sourceOf = ({ keys, head, headWords }: WriterShape): string => {
  const names = keys.map((_, i) => `v${i}`);
  return `({
    matches: ${MATCHES},
    put(object, depth, start, view) {
      const ${keys.map((key, i) => `v${i} = object.${key}`).join(", ")};
      ${Array.from(headWords, (word, i) => `view.setInt32(start + ${4 * i}, ${word}, true);`).join(" ")}
      let at = start + ${head.length};
      return ${names.map(writing).join(" && ")} ? at : failed(object, [${names.join(", ")}], start);
    },
  })`;
};
const partsOf = ({ keys }: WriterShape): object => ({ keys, hasOwn, write, writeNumber, writeText, failed });

function failed(object: object, values: readonly unknown[], start: number): number {
  failures.push({ object, values, start });
  return REFUSED;
}

function refuse(at: number): number {
  refusedAt = at;
  return REFUSED;
}

/**
 * Writes the format of `plain-format.ts`. One pass both decides whether a value is a plain tree and writes it, in a
 * fraction of the time that a walk and a general encoder take. It leaves other values to them.
 */
export class PlainEncoder {
  #bytes: Uint8Array | undefined;
  #view: DataView | undefined;

  /**
   * Writes `value` at the start of `target`. Returns the number of bytes; or, when the value needs another encoding,
   * the properties read so far. `isOwn`: the value is an array that the runtime itself made.
   */
  encode(value: unknown, target: Buffer, isOwn: boolean): number | Reads {
    if (active) return this.#encodeWithin(value, target, isOwn);
    if (this.#bytes !== target || this.#view === undefined) {
      this.#bytes = target;
      this.#view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    }
    bytes = target;
    view = this.#view;
    limit = target.length - SLACK_BYTES;
    active = true;
    disturbed = false;
    try {
      const end = isOwn ? writeItems(value as unknown[], 1, 0) : write(value, 0, 0);
      if (end >= 0 && !disturbed) return end;
      return new Reads(disturbed ? undefined : readBefore(failures, target, refusedAt));
    } catch {
      // A getter has thrown. The value graph runs it again, to find out where it is.
      return new Reads(undefined);
    } finally {
      active = false;
      if (failures.length > 0) failures = [];
    }
  }

  /** A getter of the value being encoded sends a message itself, whose bytes overwrite those of the outer one. */
  #encodeWithin(value: unknown, target: Buffer, isOwn: boolean): number | Reads {
    const outer = { bytes, view, limit, failures };
    failures = [];
    active = false;
    try {
      return this.encode(value, target, isOwn);
    } finally {
      ({ bytes, view, limit, failures } = outer);
      active = disturbed = true;
    }
  }
}

/** Writes `value` at `at`. Returns where it ends, or REFUSED; so do the functions below. */
function write(value: unknown, depth: number, at: number): number {
  if (at > limit) return refuse(at);
  switch (typeof value) {
    case "string":
      return writeText(value, at);
    case "number":
      return writeNumber(value, at);
    case "boolean":
      bytes[at] = value ? TAG_TRUE : TAG_FALSE;
      return at + 1;
    case "undefined":
      bytes[at] = TAG_UNDEFINED;
      return at + 1;
    case "object":
      break;
    default:
      return refuse(at);
  }
  if (value === null) {
    bytes[at] = TAG_NULL;
    return at + 1;
  }
  if (depth === MAX_DEPTH) return refuse(at);
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === objectPrototype) return writeObject(value as Record<string, unknown>, depth + 1, at);
  if (prototype === arrayPrototype) {
    return hasOnlyElements(value as unknown[]) ? writeItems(value as unknown[], depth + 1, at) : refuse(at);
  }
  if (prototype === bytesPrototype) return writeBytes(TAG_BYTES, value as Uint8Array, at);
  return prototype === bufferPrototype ? writeBytes(TAG_BUFFER, value as Uint8Array, at) : refuse(at);
}

function writeObject(object: Record<string, unknown>, depth: number, at: number): number {
  // Messages repeat themselves: most objects are of the shape that came here last time.
  const expected = latest?.next;
  if (expected?.code?.matches(object)) {
    latest = expected;
    return expected.code.put(object, depth, at, view);
  }
  const keys = Object.keys(object);
  if (keys.length === 0) {
    bytes[at] = TAG_OBJECT;
    bytes[at + 1] = 0;
    return at + 2;
  }
  const shape = shapeWith(keys);
  if (shape === undefined) return refuse(at);
  const code = codeOf(shape, sourceOf, partsOf);
  if (code === undefined) return writeProperties(object, shape, depth, at);
  if (latest !== undefined) follows(latest, shape);
  latest = shape;
  return code.put(object, depth, at, view);
}

/** The shape of these keys; undefined when this format cannot write them. */
function shapeWith(keys: readonly string[]): WriterShape | undefined {
  const { length } = keys;
  const first = keys[0];
  const last = keys[length - 1];
  const hash = length * 31 + first.length * 7 + first.charCodeAt(0) * 5 + last.length * 3 + last.charCodeAt(0);
  const known = shapes.at(hash);
  if (known !== undefined && sameKeys(known.keys, keys)) return known;
  const shape = shapeOf<ObjectWriter>(keys);
  if (shape !== undefined) shapes.offer(hash, shape);
  return shape;
}

function sameKeys(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) {
    if (one[i] !== other[i]) return false;
  }
  return true;
}

/** For a shape without code of its own. */
function writeProperties(
  object: Record<string, unknown>,
  { keys, head, headWords }: WriterShape,
  depth: number,
  start: number,
): number {
  for (let i = 0; i < headWords.length; i++) view.setInt32(start + 4 * i, headWords[i], true);
  let at = start + head.length;
  const values = keys.map((key) => object[key]);
  for (let i = 0; i < values.length; i++) {
    at = write(values[i], depth, at);
    if (at < 0) return failed(object, values, start);
  }
  return at;
}

function writeItems(items: unknown[], depth: number, start: number): number {
  const { length } = items;
  let at = start;
  if (length < 16) {
    bytes[at++] = TAG_ARRAY | length;
  } else {
    if (length > MAX_ITEMS) return refuse(start);
    bytes[at] = TAG_LONG_ARRAY;
    view.setUint16(at + 1, length, true);
    at += 3;
  }
  for (let i = 0; i < length; i++) {
    const item = items[i];
    // A hole is not undefined.
    at = item === undefined && !(i in items) ? refuse(at) : write(item, depth, at);
    if (at < 0) return failed(items, items, start);
  }
  return at;
}

function writeText(text: string, start: number): number {
  const { length } = text;
  if (length > LOOP_TEXT) return writeLongText(text, start);
  let at = start;
  if (length <= MAX_SHORT_TEXT) {
    bytes[at++] = TAG_TEXT | length;
  } else {
    bytes[at] = TAG_LONG_TEXT;
    view.setUint16(at + 1, length, true);
    at += 3;
  }
  // Four characters by one store.
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    if ((a | b | c | d) > 0xff) return writeWideText(text, start);
    view.setInt32(at, a | (b << 8) | (c << 16) | (d << 24), true);
    at += 4;
  }
  for (; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return writeWideText(text, start);
    bytes[at++] = code;
  }
  return at;
}

function writeLongText(text: string, at: number): number {
  const { length } = text;
  if (length > MAX_TEXT || at + length > limit) return refuse(at);
  // Only ASCII takes as many bytes as it has characters. With room for one character more, other text takes more.
  if (bytes.write(text, at + 3, length + MAX_CHARACTER_BYTES, "utf8") !== length) return writeWideText(text, at);
  bytes[at] = TAG_LONG_TEXT;
  view.setUint16(at + 1, length, true);
  return at + 3 + length;
}

/** Writes the UTF-16 units, including halves of surrogate pairs. */
function writeWideText(text: string, at: number): number {
  const { length } = text;
  if (length > MAX_TEXT || at + 2 * length > limit) return refuse(at);
  bytes[at] = TAG_WIDE_TEXT;
  view.setUint16(at + 1, length, true);
  bytes.write(text, at + 3, "utf16le");
  return at + 3 + 2 * length;
}

function writeBytes(tag: number, value: Uint8Array, at: number): number {
  const { length } = value;
  if (at + length > limit || !areOwnBytes(value)) return refuse(at);
  bytes[at] = tag;
  view.setUint32(at + 1, length, true);
  bytes.set(value, at + 5);
  return at + 5 + length;
}

function writeNumber(value: number, at: number): number {
  // Minus zero is no int32.
  if (value >> 0 === value && (value !== 0 || 1 / value > 0)) {
    if (value >= 0 && value < 128) {
      bytes[at] = value;
      return at + 1;
    }
    bytes[at] = TAG_INT32;
    view.setInt32(at + 1, value, true);
    return at + 5;
  }
  bytes[at] = TAG_FLOAT64;
  view.setFloat64(at + 1, value, true);
  return at + 9;
}
