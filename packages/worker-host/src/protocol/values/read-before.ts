import { PlainDecoder } from "./plain-decoder.js";
import { MAX_DEPTH, TAG_ARRAY, TAG_LONG_ARRAY, TAG_OBJECT } from "./plain-format.js";
import type { KnownReads } from "./reads.js";

/** An object or array that could be written in part only. */
export interface Failure {
  readonly object: object;
  /** The values of an object's keys as they were read; for an array the array itself. */
  readonly values: readonly unknown[];
  /** Where its bytes begin in the target. */
  start: number;
}

/** A bound for the search: more properties than the written values can have. */
const MAX_LOOKS = 65_536;
const decoder = new PlainDecoder();

/**
 * The properties that an attempt at the plain format has read. `failures` begin with the innermost; `bytes` up to `end`
 * is what the attempt wrote. Objects with getters are decoded from those bytes, so that no getter runs again.
 */
export function readBefore(failures: readonly Failure[], bytes: Uint8Array, end: number): KnownReads | undefined {
  if (failures.length === 0) return undefined;
  const known = new Map<object, readonly unknown[]>();
  let failedAt = end;
  let failed: object | undefined;
  for (const { object, values, start } of failures) {
    known.set(object, withCopies(values, failed, bytes, start, failedAt));
    failedAt = start;
    failed = object;
  }
  return known;
}

function withCopies(
  values: readonly unknown[],
  failed: object | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
): readonly unknown[] {
  const looks = { left: MAX_LOOKS };
  const written = values.findIndex((value) => isObject(value) && (value === failed || !isPlain(value)));
  const complete = written === -1 ? values : values.slice(0, written);
  if (!complete.some((value) => hasGetter(value, 0, looks))) return values;
  const copies = [...values];
  let at = start + headBytes(bytes, start);
  for (let i = 0; i < copies.length && at < end; i++) {
    const { value, next } = decoder.decodeAt(bytes, at);
    if (hasGetter(values[i], 0, looks)) copies[i] = value;
    at = next;
  }
  return copies;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object) as unknown;
  return prototype === Object.prototype || prototype === Array.prototype || ArrayBuffer.isView(object);
}

function headBytes(bytes: Uint8Array, start: number): number {
  const tag = bytes[start];
  if (tag === TAG_LONG_ARRAY) return 3;
  return tag >= TAG_OBJECT && tag < TAG_ARRAY ? 2 + bytes[start + 1] : 1;
}

/** For written values, which are no deeper than MAX_DEPTH. */
function hasGetter(value: unknown, depth: number, looks: { left: number }): boolean {
  if (!isObject(value) || ArrayBuffer.isView(value) || depth > MAX_DEPTH) return false;
  for (const key of Object.keys(value)) {
    if (--looks.left < 0) return false;
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property?.get !== undefined || hasGetter(property?.value, depth + 1, looks)) return true;
  }
  return false;
}
