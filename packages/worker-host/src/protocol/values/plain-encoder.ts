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
/** Longer text is written by one native call of 90 ns; the loop takes 2 ns a character (Node 20). */
const LOOP_TEXT = 40;
/** The most bytes of a character in UTF-8. */
const MAX_CHARACTER_BYTES = 4;
/** The most bytes written without a check for room: an object's keys, or a text written in a loop. */
const SLACK_BYTES = MAX_KEYS_BYTES + 16;

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const bytesPrototype = Uint8Array.prototype;
const bufferPrototype = Buffer.prototype;

let bytes: Buffer;
let view: DataView;
let limit = 0;
let at = 0;
/** The object or array that could not be written, and those around it: the innermost first. */
let failures: Failure[] = [];
/** True while a value is being encoded. */
let active = false;
/** True when another value was encoded meanwhile, by a getter. */
let disturbed = false;

const shapes = new ShapeTable<(object: object, depth: number) => boolean>();
/** Reads each property once, also for an object that turns out to need another encoding. */
const parametersOf = (keys: readonly string[]): string =>
  ["object, depth", ...keys.map((key, i) => `v${i} = object.${key}`)].join(", ");
const writing = (keys: readonly string[]): string => {
  const names = keys.map((_, i) => `v${i}`);
  return `(${names.map((name) => `step(${name}, depth)`).join(" && ")}) || step.failed(object, [${names.join(", ")}])`;
};
/** `writeObject` fills in where the object began. */
const step = Object.assign(write, {
  failed(object: object, values: unknown[]): boolean {
    failures.push({ object, values, start: 0 });
    return false;
  },
});

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
    at = 0;
    active = true;
    disturbed = false;
    try {
      if ((isOwn ? writeItems(value as unknown[], 1) : write(value, 0)) && !disturbed) return at;
      return new Reads(disturbed ? undefined : readBefore(failures, target, at));
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
  // Only ASCII takes as many bytes as it has characters. With room for one character more, other text takes more.
  if (bytes.write(text, at + 3, length + MAX_CHARACTER_BYTES, "utf8") !== length) return writeWideText(text);
  bytes[at] = TAG_LONG_TEXT;
  view.setUint16(at + 1, length, true);
  at += 3 + length;
  return true;
}

/** Writes the UTF-16 units, including halves of surrogate pairs. */
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
  // Minus zero is no int32.
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
