import { isDetached } from "../refs/transfer-list.js";

type Resizable = ArrayBuffer & {
  readonly resizable?: boolean;
  readonly maxByteLength?: number;
  resize(byteLength: number): void;
};
/** Missing in TypeScript's types for Node 20. */
type ResizableBuffer = new (byteLength: number, options: { maxByteLength: number }) => ArrayBuffer;

const VIEWS = new Map<string, new (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView>(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
    // Node 24 and later.
    (globalThis as { Float16Array?: typeof Float32Array }).Float16Array ?? [],
  ]
    .flat()
    .map((View) => [View.name, View]),
);

/** The class that a view arrives as: Buffer for a Buffer, for any other the class of the language. */
export function viewName(view: ArrayBufferView): string {
  if (Buffer.isBuffer(view)) return "Buffer";
  const name = Object.prototype.toString.call(view).slice(8, -1);
  return VIEWS.has(name) ? name : "DataView";
}

/** Length in elements; undefined for a view that grows with its buffer. */
export function lengthOf(view: ArrayBufferView): number | undefined {
  return isLengthTracking(view) ? undefined : elementsOf(view);
}

function elementsOf(view: ArrayBufferView): number {
  return (view as Uint8Array).length ?? view.byteLength;
}

export function viewOf(name: string, buffer: ArrayBuffer, offset = 0, length?: number): ArrayBufferView {
  if (name === "Buffer") return Buffer.from(buffer, offset, length);
  const View = VIEWS.get(name);
  if (View === undefined) throw new TypeError(`malformed message: no such view: ${name}`);
  return new View(buffer, offset, length);
}

function isResizable(buffer: ArrayBufferLike): boolean {
  return (buffer as Resizable).resizable === true;
}

export function maxByteLength(buffer: ArrayBufferLike): number | undefined {
  return isResizable(buffer as Resizable) ? (buffer as Resizable).maxByteLength : undefined;
}

/** A buffer of exactly these bytes, for the receiver alone; resizable up to `max` if that is given. */
export function ownBuffer(bytes: Uint8Array, max?: number): ArrayBuffer {
  if (max !== undefined) {
    const buffer = new (ArrayBuffer as ResizableBuffer)(bytes.byteLength, { maxByteLength: max });
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }
  return bytes.buffer.byteLength === bytes.byteLength
    ? (bytes.buffer as ArrayBuffer)
    : (Uint8Array.prototype.slice.call(bytes).buffer as ArrayBuffer);
}

/** Says why the bytes of a buffer or a view cannot be copied; undefined when they can. */
export function lostBytes(object: ArrayBuffer | ArrayBufferView): string | undefined {
  if (object.byteLength > 0) return undefined;
  const buffer = ArrayBuffer.isView(object) ? object.buffer : object;
  if (isDetached(buffer as ArrayBuffer)) return "detached: its bytes have changed hands";
  return ArrayBuffer.isView(object) && isOutOfBounds(object)
    ? "a view of bytes that its buffer has no more"
    : undefined;
}

/** `at` throws for a view out of bounds. */
function isOutOfBounds(view: ArrayBufferView): boolean {
  if (view instanceof DataView) return false;
  try {
    Uint8Array.prototype.at.call(view as Uint8Array, 0);
    return false;
  } catch {
    return true;
  }
}

/** JavaScript cannot tell, so a clone, which keeps the property, is resized to find out. */
function isLengthTracking(view: ArrayBufferView): boolean {
  if (!isResizable(view.buffer) || Buffer.isBuffer(view)) return false;
  const before = elementsOf(view);
  const copy = structuredClone(view) as ArrayBufferView;
  const buffer = copy.buffer as Resizable;
  const { maxByteLength = 0, byteLength } = buffer;
  // To the maximum if there is room to grow; otherwise down to where the view begins.
  buffer.resize(byteLength < maxByteLength ? maxByteLength : copy.byteOffset);
  try {
    if (!(copy instanceof DataView)) Uint8Array.prototype.at.call(copy as Uint8Array, 0);
    return elementsOf(copy) !== before;
  } catch {
    return false;
  }
}
