import { hasOnlyElements } from "./array-keys.js";
import { areOwnBytes } from "./message-value.js";
import {
  MAX_DEPTH,
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
import { codeOf, ShapeTable, shapeOf } from "./plain-shapes.js";
import { type Failure, readBefore } from "./read-before.js";
import { Reads } from "./reads.js";

const MAX_TEXT = 0xffff;
const MAX_ITEMS = 0xffff;
/** Longer text is written by one native call (measured on Node 20: 2 ns a character against 90 ns). */
const LOOP_TEXT = 40;
/** In UTF-8. */
const MAX_CHARACTER_BYTES = 4;
/** The most that is written without a look at the room left: an object's keys, or a text that is written in a loop. */
const SLACK_BYTES = MAX_KEYS_BYTES + 16;

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const bytesPrototype = Uint8Array.prototype;
const bufferPrototype = Buffer.prototype;

let bytes: Buffer;
let view: DataView;
let limit = 0;
let at = 0;
/** Of the object or array that could not be written, and of those that it is in: the innermost first. */
let failures: Failure[] = [];
/** A value is being encoded. */
let active = false;
/** Another was, meanwhile. */
let disturbed = false;

const shapes = new ShapeTable<(object: object, depth: number) => boolean>();
/** Each property is read once, also when it turns out that the object is to be encoded in another way. */
const parametersOf = (keys: readonly string[]): string =>
  ["object, depth", ...keys.map((key, i) => `v${i} = object.${key}`)].join(", ");
const writing = (keys: readonly string[]): string => {
  const names = keys.map((_, i) => `v${i}`);
  return `(${names.map((name) => `step(${name}, depth)`).join(" && ")}) || step.failed(object, [${names.join(", ")}])`;
};
/** Where the object began, `writeObject` knows. */
const step = Object.assign(write, {
  failed(object: object, values: unknown[]): boolean {
    failures.push({ object, values, start: 0 });
    return false;
  },
});

/**
 * Writes what `plain-format.ts` describes. One pass decides whether a value is such a tree and writes it, in a fraction
 * of the time of a walk and a general encoder. What it does not know it leaves to them.
 */
export class PlainEncoder {
  #bytes: Uint8Array | undefined;
  #view: DataView | undefined;

  /**
   * Writes `value` at the start of `target`. Returns its length, or what was read of it when it has to be encoded in
   * another way. `isOwn`: it is an array of this runtime's own making.
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
    at = 0;
    active = true;
    disturbed = false;
    try {
      if ((isOwn ? writeItems(value as unknown[], 1) : write(value, 0)) && !disturbed) return at;
      return new Reads(disturbed ? undefined : readBefore(failures, target, at));
    } catch {
      // A getter has thrown, and does so again: the value graph says where.
      return new Reads(undefined);
    } finally {
      active = false;
      if (failures.length > 0) failures = [];
    }
  }

  /** A getter of what is being encoded sends a message itself: the bytes of both are in the same place. */
  #encodeWithin(value: unknown, target: Buffer, isOwn: boolean): number | Reads {
    const outer = { bytes, view, limit, at, failures };
    failures = [];
    active = false;
    try {
      return this.encode(value, target, isOwn);
    } finally {
      ({ bytes, view, limit, at, failures } = outer);
      active = disturbed = true;
    }
  }
}

function write(value: unknown, depth: number): boolean {
  if (at > limit) return false;
  switch (typeof value) {
    case "string":
      return writeText(value);
    case "number":
      writeNumber(value);
      return true;
    case "boolean":
      bytes[at++] = value ? TAG_TRUE : TAG_FALSE;
      return true;
    case "undefined":
      bytes[at++] = TAG_UNDEFINED;
      return true;
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) {
    bytes[at++] = TAG_NULL;
    return true;
  }
  if (depth === MAX_DEPTH) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === objectPrototype) return writeObject(value as Record<string, unknown>, depth + 1);
  if (prototype === arrayPrototype) return writeArray(value as unknown[], depth + 1);
  if (prototype === bytesPrototype) return writeBytes(TAG_BYTES, value as Uint8Array);
  return prototype === bufferPrototype && writeBytes(TAG_BUFFER, value as Uint8Array);
}

function writeObject(object: Record<string, unknown>, depth: number): boolean {
  const keys = Object.keys(object);
  const { length } = keys;
  const start = at;
  if (length === 0) {
    bytes[at++] = TAG_OBJECT;
    bytes[at++] = 0;
    return true;
  }
  const first = keys[0];
  const last = keys[length - 1];
  const hash = length * 31 + first.length * 7 + first.charCodeAt(0) * 5 + last.length * 3 + last.charCodeAt(0);
  let shape = shapes.at(hash);
  if (shape === undefined || !sameKeys(shape.keys, keys)) {
    shape = shapeOf(keys);
    if (shape === undefined) return false;
    shapes.offer(hash, shape);
  }
  const { headWords } = shape;
  for (let i = 0; i < headWords.length; i++) view.setInt32(at + 4 * i, headWords[i], true);
  at += shape.head.length;
  const put = codeOf(shape, parametersOf, writing, step);
  if (put !== undefined) {
    if (put(object, depth)) return true;
    failures[failures.length - 1].start = start;
    return false;
  }
  const values = keys.map((key) => object[key]);
  for (let i = 0; i < length; i++) {
    if (write(values[i], depth)) continue;
    failures.push({ object, values, start });
    return false;
  }
  return true;
}

function sameKeys(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) {
    if (one[i] !== other[i]) return false;
  }
  return true;
}

function writeArray(items: unknown[], depth: number): boolean {
  return hasOnlyElements(items) && writeItems(items, depth);
}

function failedAt(items: unknown[], start: number): false {
  failures.push({ object: items, values: items, start });
  return false;
}

function writeItems(items: unknown[], depth: number): boolean {
  const { length } = items;
  const start = at;
  if (length < 16) {
    bytes[at++] = TAG_ARRAY | length;
  } else {
    if (length > MAX_ITEMS) return false;
    bytes[at] = TAG_LONG_ARRAY;
    view.setUint16(at + 1, length, true);
    at += 3;
  }
  for (let i = 0; i < length; i++) {
    const item = items[i];
    // A hole is not undefined.
    if ((item === undefined && !(i in items)) || !write(item, depth)) return failedAt(items, start);
  }
  return true;
}

function writeText(text: string): boolean {
  const { length } = text;
  if (length > LOOP_TEXT) return writeLongText(text);
  let end = at;
  if (length <= MAX_SHORT_TEXT) {
    bytes[end++] = TAG_TEXT | length;
  } else {
    bytes[end] = TAG_LONG_TEXT;
    view.setUint16(end + 1, length, true);
    end += 3;
  }
  // Four characters by one store.
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    if ((a | b | c | d) > 0xff) return writeWideText(text);
    view.setInt32(end, a | (b << 8) | (c << 16) | (d << 24), true);
    end += 4;
  }
  for (; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return writeWideText(text);
    bytes[end++] = code;
  }
  at = end;
  return true;
}

function writeLongText(text: string): boolean {
  const { length } = text;
  if (length > MAX_TEXT || at + length > limit) return false;
  // ASCII, and nothing else, has as many bytes as characters; with room for one character more, the rest takes more.
  if (bytes.write(text, at + 3, length + MAX_CHARACTER_BYTES, "utf8") !== length) return writeWideText(text);
  bytes[at] = TAG_LONG_TEXT;
  view.setUint16(at + 1, length, true);
  at += 3 + length;
  return true;
}

/** As it is in memory, halves of surrogate pairs too. */
function writeWideText(text: string): boolean {
  const { length } = text;
  if (length > MAX_TEXT || at + 2 * length > limit) return false;
  bytes[at] = TAG_WIDE_TEXT;
  view.setUint16(at + 1, length, true);
  bytes.write(text, at + 3, "utf16le");
  at += 3 + 2 * length;
  return true;
}

function writeBytes(tag: number, value: Uint8Array): boolean {
  const { length } = value;
  if (at + length > limit || !areOwnBytes(value)) return false;
  bytes[at] = tag;
  view.setUint32(at + 1, length, true);
  bytes.set(value, at + 5);
  at += 5 + length;
  return true;
}

function writeNumber(value: number): void {
  // Minus zero is a number of its own.
  if (value >> 0 === value && (value !== 0 || 1 / value > 0)) {
    if (value >= 0 && value < 128) {
      bytes[at++] = value;
    } else {
      bytes[at] = TAG_INT32;
      view.setInt32(at + 1, value, true);
      at += 5;
    }
  } else {
    bytes[at] = TAG_FLOAT64;
    view.setFloat64(at + 1, value, true);
    at += 9;
  }
}
