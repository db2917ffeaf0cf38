import {
  MAX_DEPTH,
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
import { codeOf, type Shape, ShapeTable, shapeOf } from "./plain-shapes.js";

let bytes: Uint8Array;
let view: DataView;
let at = 0;
let depth = 0;

const shapes = new ShapeTable<() => object>();
const reading = ({ keys }: Shape<unknown>): string => `() => ({ ${keys.map((key) => `${key}: read()`).join(", ")} })`;
const parts = (): object => ({ read });

/** Reads the format of PlainEncoder. Throws RangeError for anything else. */
export class PlainDecoder {
  #bytes: Uint8Array | undefined;
  #view: DataView | undefined;

  /** The value in the first `length` bytes of `source`. Throws RangeError when they hold none. */
  decode(source: Uint8Array, length: number): unknown {
    if (this.#bytes !== source || this.#view === undefined) {
      this.#bytes = source;
      this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    }
    bytes = source;
    view = this.#view;
    at = 0;
    depth = 0;
    const value = read();
    // A read beyond the end is noticed here at the latest.
    if (at !== length) throw malformed();
    return value;
  }

  /** The value that begins at `from`, and where the next one begins. */
  decodeAt(source: Uint8Array, from: number): { readonly value: unknown; readonly next: number } {
    bytes = source;
    view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    at = from;
    depth = 0;
    return { value: read(), next: at };
  }
}

function read(): unknown {
  const tag = bytes[at++];
  if (tag < TAG_OBJECT) return tag;
  if (tag < TAG_ARRAY) return readObject();
  if (tag < TAG_TEXT) return readArray(tag & 15);
  if (tag < TAG_NULL) return readText(tag & 31);
  switch (tag) {
    case TAG_NULL:
      return null;
    case TAG_UNDEFINED:
      return undefined;
    case TAG_FALSE:
      return false;
    case TAG_TRUE:
      return true;
    case TAG_INT32:
      at += 4;
      return view.getInt32(at - 4, true);
    case TAG_FLOAT64:
      at += 8;
      return view.getFloat64(at - 8, true);
    case TAG_LONG_TEXT:
      at += 2;
      return readText(view.getUint16(at - 2, true));
    case TAG_LONG_ARRAY:
      at += 2;
      return readArray(view.getUint16(at - 2, true));
    case TAG_BYTES:
      return readBytes();
    case TAG_WIDE_TEXT:
      return readWideText();
    case TAG_BUFFER:
      return Buffer.from(readBytes().buffer);
    default:
      throw malformed();
  }
}

function readObject(): object {
  const start = at - 1;
  const keysBytes = bytes[at++];
  if (keysBytes === 0) return {};
  if (++depth > MAX_DEPTH) throw malformed();
  const end = at + keysBytes;
  const hash = keysBytes * 31 + bytes[start] * 7 + bytes[at + 1] * 5 + bytes[end - 1];
  let shape = shapes.at(hash);
  if (shape === undefined || !startsWith(shape, start)) {
    shape = shapeHere(end);
    if (!startsWith(shape, start)) throw malformed();
    shapes.offer(hash, shape);
  }
  at = end;
  const get = codeOf(shape, reading, parts);
  const object = get === undefined ? readProperties(shape.keys) : get();
  depth--;
  return object;
}

/** True when the bytes at `start` begin an object of this shape. */
function startsWith({ head, headWords }: Shape<unknown>, start: number): boolean {
  const { length } = head;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    if (headWords[i >> 2] !== view.getInt32(start + i, true)) return false;
  }
  for (; i < length; i++) {
    if (head[i] !== bytes[start + i]) return false;
  }
  return true;
}

/** Reads the keys from here to `end`. */
function shapeHere(end: number): Shape<() => object> {
  const keys: string[] = [];
  while (at < end) keys.push(readText(bytes[at++]));
  const shape = shapeOf<() => object>(keys);
  if (shape === undefined) throw malformed();
  return shape;
}

function readProperties(keys: readonly string[]): object {
  const object: Record<string, unknown> = {};
  for (let i = 0; i < keys.length; i++) object[keys[i]] = read();
  return object;
}

function readArray(length: number): unknown[] {
  if (++depth > MAX_DEPTH) throw malformed();
  // Most arrays are the one or two arguments of a message.
  const items: unknown[] = length === 0 ? [] : length === 1 ? [read()] : [read(), read()];
  for (let i = 2; i < length; i++) items.push(read());
  depth--;
  return items;
}

// Not the slice of a Buffer, which is a view.
const { slice } = Uint8Array.prototype;

function readBytes(): Uint8Array<ArrayBuffer> {
  const length = view.getUint32(at, true);
  at += 4 + length;
  if (at > bytes.length) throw malformed();
  return slice.call(bytes, at - length, at);
}

type Slice = (this: Uint8Array, start: number, end: number) => string;
const { fromCharCode } = String;
/** These take any Uint8Array as `this`. */
const { latin1Slice, ucs2Slice } = Buffer.prototype as unknown as { latin1Slice: Slice; ucs2Slice: Slice };

function readWideText(): string {
  const start = at + 2;
  at = start + 2 * view.getUint16(at, true);
  if (at > bytes.length) throw malformed();
  return ucs2Slice.call(bytes, start, at);
}

/** Text of up to twelve characters is made in half the time of a native call (20–30 ns against 65, Node 20). */
function readText(length: number): string {
  const b = bytes;
  const p = at;
  at += length;
  if (at > b.length) throw malformed();
  switch (length) {
    case 0:
      return "";
    case 1:
      return fromCharCode(b[p]);
    case 2:
      return fromCharCode(b[p], b[p + 1]);
    case 3:
      return fromCharCode(b[p], b[p + 1], b[p + 2]);
    case 4:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3]);
    case 5:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4]);
    case 6:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5]);
    case 7:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6]);
    case 8:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7]);
    case 9:
      return fromCharCode(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8]);
    case 10:
      return fromCharCode(
        b[p],
        b[p + 1],
        b[p + 2],
        b[p + 3],
        b[p + 4],
        b[p + 5],
        b[p + 6],
        b[p + 7],
        b[p + 8],
        b[p + 9],
      );
    case 11:
      return fromCharCode(
        b[p],
        b[p + 1],
        b[p + 2],
        b[p + 3],
        b[p + 4],
        b[p + 5],
        b[p + 6],
        b[p + 7],
        b[p + 8],
        b[p + 9],
        b[p + 10],
      );
    case 12:
      return fromCharCode(
        b[p],
        b[p + 1],
        b[p + 2],
        b[p + 3],
        b[p + 4],
        b[p + 5],
        b[p + 6],
        b[p + 7],
        b[p + 8],
        b[p + 9],
        b[p + 10],
        b[p + 11],
      );
    default:
      return latin1Slice.call(b, p, at);
  }
}

function malformed(): RangeError {
  return new RangeError(`malformed message: at byte ${at}`);
}
