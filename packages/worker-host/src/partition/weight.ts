import { types } from "node:util";

/* About what V8 takes for each, without compressed pointers. */
const OBJECT_BYTES = 24;
const FIELD_BYTES = 8;
const STRING_BYTES = 16;
const ENTRY_BYTES = 24;
/** A text this long is counted once, however often it is referred to. */
const LONG_TEXT = 64;
/** The elements of a longer array are met one by one, so that they need no list of their own. */
const SHORT_ARRAY = 64;
/** Of objects that refer to nothing, so many of the latest are known again: many may be one that much refers to. */
const LEAVES = 4_096;
/** A longer one has holes: its elements alone would take 256 MiB. */
const MOST_ELEMENTS = 2 ** 25;

const entriesOfMap = Map.prototype.entries;
const valuesOfSet = Set.prototype.values;
const bufferOfView = getterOf(DataView.prototype);
const bufferOfBytes = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object);

/** Values that are met one by one: `next` gives undefined for a value without weight, too. */
interface Frame {
  readonly values: Iterator<unknown>;
}

/**
 * About how many bytes a value holds, found by walking it bit by bit. It runs none of the value's code: getters, proxies,
 * closures and private fields are not looked into.
 */
export class Weight {
  heapBytes = 0;
  offHeapBytes = 0;
  /** The objects and long texts that it has met. */
  readonly seen = new Set<unknown>();
  readonly #shared: ReadonlySet<unknown>;
  readonly #mostBytes: number;
  readonly #open: unknown[];
  readonly #frames: Frame[] = [];
  readonly #leaves = new Set<unknown>();

  /** It stops at `mostBytes`, and leaves out what is in `shared`. */
  constructor(value: unknown, shared: ReadonlySet<unknown>, mostBytes: number) {
    this.#open = [value];
    this.#shared = shared;
    this.#mostBytes = mostBytes;
  }

  /** Walks on, by so many values at most. True when it is done. */
  advance(values: number): boolean {
    for (let left = values; left > 0; left--) {
      if (this.heapBytes >= this.#mostBytes || this.offHeapBytes >= this.#mostBytes) return true;
      if (this.#open.length > 0) {
        this.#meet(this.#open.pop());
        continue;
      }
      const frame = this.#frames.at(-1);
      if (frame === undefined) return true;
      const next = frame.values.next();
      if (next.done === true) this.#frames.pop();
      else this.#meet(next.value);
    }
    return false;
  }

  #meet(value: unknown): void {
    if (typeof value === "string") {
      this.#text(value);
      return;
    }
    if (typeof value !== "object" || value === null || types.isProxy(value)) return;
    if (this.#leaves.has(value) || this.seen.has(value) || this.#shared.has(value)) return;
    if (isPlain(value) && this.#isLeaf(value)) return;
    this.seen.add(value);
    this.heapBytes += OBJECT_BYTES;
    if (ArrayBuffer.isView(value)) this.#meet(types.isDataView(value) ? bufferOfView(value) : bufferOfBytes(value));
    else if (types.isAnyArrayBuffer(value)) this.#bytes(value);
    else if (types.isMap(value)) this.#frames.push({ values: keysAndValues(value, this) });
    else if (types.isSet(value)) this.#frames.push({ values: members(value, this) });
    else if (Array.isArray(value)) this.#elements(value);
    else this.#fields(value);
  }

  #text(text: string): void {
    if (text.length >= LONG_TEXT) {
      if (this.seen.has(text) || this.#shared.has(text)) return;
      this.seen.add(text);
    }
    this.heapBytes += STRING_BYTES + text.length;
  }

  #bytes(buffer: ArrayBufferLike): void {
    // What is shared with other threads is no member's.
    if (!types.isSharedArrayBuffer(buffer)) this.offHeapBytes += buffer.byteLength;
  }

  #elements(array: unknown[]): void {
    if (array.length > SHORT_ARRAY) {
      this.#frames.push({ values: elements(array, this) });
      return;
    }
    this.heapBytes += FIELD_BYTES * array.length;
    for (let i = 0; i < array.length; i++) this.#open.push(array[i]);
  }

  /** Most objects: to keep all of them in `seen` would take longer than all else, and memory that there is little of. */
  #isLeaf(object: object): boolean {
    let fields = 0;
    for (const key of Object.keys(object)) {
      const value: unknown = Object.getOwnPropertyDescriptor(object, key)?.value;
      if ((typeof value === "object" && value !== null) || typeof value === "string") return false;
      fields++;
    }
    if (this.#leaves.size >= LEAVES) this.#leaves.clear();
    this.#leaves.add(object);
    this.heapBytes += OBJECT_BYTES + FIELD_BYTES * fields;
    return true;
  }

  #fields(object: object): void {
    for (const key of Object.keys(object)) {
      this.heapBytes += FIELD_BYTES;
      const value: unknown = Object.getOwnPropertyDescriptor(object, key)?.value;
      if (typeof value === "object" || typeof value === "string") this.#open.push(value);
    }
  }
}

function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object) as unknown;
  return prototype === Object.prototype || prototype === null;
}

function* keysAndValues(map: Map<unknown, unknown>, weight: Weight): Iterator<unknown> {
  for (const [key, value] of entriesOfMap.call(map)) {
    weight.heapBytes += ENTRY_BYTES;
    yield key;
    yield value;
  }
}

function* members(set: Set<unknown>, weight: Weight): Iterator<unknown> {
  for (const value of valuesOfSet.call(set)) {
    weight.heapBytes += ENTRY_BYTES;
    yield value;
  }
}

function* elements(array: unknown[], weight: Weight): Iterator<unknown> {
  for (let i = 0; i < array.length && i < MOST_ELEMENTS; i++) {
    weight.heapBytes += FIELD_BYTES;
    yield array[i];
  }
}

function getterOf(prototype: object): (view: ArrayBufferView) => ArrayBufferLike {
  const { get } = Object.getOwnPropertyDescriptor(prototype, "buffer") as PropertyDescriptor;
  return (view) => (get as () => ArrayBufferLike).call(view);
}
