import { ActorError } from "../errors/errors.js";
import { HANDLING, HANDLING_NAME, HANDLING_NAME_BYTES } from "./slot-descriptor.js";

/*
 * How a message names its method. A method of any definition has a number, see name-table. Any other name travels as
 * text, in the last bytes of the record, and the field for the number holds minus its length. So the actor itself
 * refuses a name that no definition has, and the name takes no room afterwards.
 */
const MAX_METHOD_NAME_BYTES = 256;

/** A lone half of a surrogate pair, which UTF-8 cannot encode. */
const ILL_FORMED = /\p{Surrogate}/u;
const SHOWN = 80;

/** Names of methods by their numbers. */
interface Names {
  name(id: number): string;
}

/** Says why `name` cannot name a method; undefined when it can. */
export function methodNameFault(name: unknown): string | undefined {
  if (typeof name !== "string") return "a method's name is a string";
  // A UTF-16 unit takes at least one byte, so a longer text need not be encoded.
  const bytes = name.length > MAX_METHOD_NAME_BYTES ? Infinity : Buffer.byteLength(name);
  if (bytes === 0 || bytes > MAX_METHOD_NAME_BYTES) return `a method's name has 1 to ${MAX_METHOD_NAME_BYTES} bytes`;
  return ILL_FORMED.test(name) ? "a method's name is well-formed Unicode, without half of a surrogate pair" : undefined;
}

/** Throws ERR_UNKNOWN_METHOD for a name that no method can have. */
export function checkMethodName(name: string): void {
  const fault = methodNameFault(name);
  if (fault === undefined) return;
  const shown = typeof name === "string" ? JSON.stringify(name.slice(0, SHOWN)) : typeof name;
  throw new ActorError("ERR_UNKNOWN_METHOD", `method=${shown}: ${fault}`, { method: shown });
}

/**
 * The method field of a record that carries `name` as text. Throws ERR_UNKNOWN_METHOD for a name that no method can
 * have.
 */
export function textMethod(name: string): number {
  checkMethodName(name);
  return -Buffer.byteLength(name);
}

/** The text of a method that has no number. The record, or the payload that will become one, ends at byte `end`. */
export function methodTextIn(method: number, bytes: Uint8Array, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + end + method, -method).toString();
}

/** What a message to `info`, which has no method, is called in errors, events and logs. */
const INFO = "info";

/** The name of the method of a record whose method has a number. */
export function numberedName(names: Names, method: number): string {
  return method === 0 ? INFO : names.name(method);
}

/** The name of the method of an encoded message. */
export function methodOf(
  names: Names,
  method: number,
  { bytes, length }: { readonly bytes: Uint8Array; readonly length: number },
): string {
  return method < 0 ? methodTextIn(method, bytes, length) : numberedName(names, method);
}

/** The method that the consumer of this slot is handling; "" while it handles none. */
export function handlingName(names: Names, words: Int32Array): string {
  const method = words[HANDLING];
  if (method >= 0) return names.name(method);
  const name = new Uint8Array(words.buffer, words.byteOffset + HANDLING_NAME * 4, HANDLING_NAME_BYTES);
  const length = Math.min(-method, HANDLING_NAME_BYTES);
  return methodTextIn(-length, name, length);
}
