/*
 * MessagePack for the messages that are sent most: small trees of plain objects, arrays, numbers, short ASCII text,
 * booleans, null and undefined. One pass decides whether a value is such a tree and writes it, in half the time of a
 * walk and a general encoder. What it does not know it leaves to them. Read back by msgpackr.
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
const MAX_DEPTH = 8;
const MAX_TEXT = 255;
/** The longest single thing written without a look at the room left: a text of MAX_TEXT, or a number. */
const SLACK_BYTES = MAX_TEXT + 16;

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;

let bytes: Uint8Array;
let view: DataView;
let limit = 0;
let at = 0;

/** A buffer to write into. */
export class PlainEncoder {
  #bytes: Uint8Array | undefined;
  #view: DataView | undefined;

  /** Writes `value` at the start of `target`. Returns its length, or -1 when it has to be encoded in another way. */
  encode(value: unknown, target: Uint8Array): number {
    if (this.#bytes !== target || this.#view === undefined) {
      this.#bytes = target;
      this.#view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    }
    bytes = target;
    view = this.#view;
    limit = target.length - SLACK_BYTES;
    at = 0;
    return write(value, 0) ? at : -1;
  }
}

function write(value: unknown, depth: number): boolean {
  if (at > limit) return false;
  switch (typeof value) {
    case "string":
      return writeText(value);
    case "number":
      return writeNumber(value);
    case "boolean":
      bytes[at++] = value ? 0xc3 : 0xc2;
      return true;
    case "undefined":
      // msgpackr's undefined: extension type 0.
      bytes[at++] = 0xd4;
      bytes[at++] = 0;
      bytes[at++] = 0;
      return true;
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) {
    bytes[at++] = 0xc0;
    return true;
  }
  if (depth === MAX_DEPTH) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === objectPrototype) return writeObject(value as Record<string, unknown>, depth + 1);
  return prototype === arrayPrototype && writeArray(value as unknown[], depth + 1);
}

function writeObject(value: Record<string, unknown>, depth: number): boolean {
  const keys = Object.keys(value);
  if (keys.length > 15) return false;
  bytes[at++] = 0x80 | keys.length;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (key === "__proto__" || at > limit || !writeText(key) || !write(value[key], depth)) return false;
  }
  return true;
}

function writeArray(items: unknown[], depth: number): boolean {
  const { length } = items;
  if (length < 16) {
    bytes[at++] = 0x90 | length;
  } else {
    if (length > 0xffff) return false;
    bytes[at++] = 0xdc;
    bytes[at++] = length >> 8;
    bytes[at++] = length & 0xff;
  }
  for (let i = 0; i < length; i++) {
    const item = items[i];
    // A hole is not undefined.
    if ((item === undefined && !(i in items)) || !write(item, depth)) return false;
  }
  return true;
}

function writeText(text: string): boolean {
  const { length } = text;
  let end = at;
  if (length < 32) {
    bytes[end++] = 0xa0 | length;
  } else {
    if (length > MAX_TEXT) return false;
    bytes[end++] = 0xd9;
    bytes[end++] = length;
  }
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return false;
    bytes[end++] = code;
  }
  at = end;
  return true;
}

function writeNumber(value: number): boolean {
  if (value >>> 0 === value) {
    // Minus zero is a number of its own.
    if (value === 0 && 1 / value < 0) return false;
    if (value < 128) {
      bytes[at++] = value;
    } else {
      bytes[at++] = 0xce;
      view.setUint32(at, value);
      at += 4;
    }
  } else if (value >> 0 === value) {
    bytes[at++] = 0xd2;
    view.setInt32(at, value);
    at += 4;
  } else {
    bytes[at++] = 0xcb;
    view.setFloat64(at, value);
    at += 8;
  }
  return true;
}
