import { ActorError } from "../errors/errors.js";
import { HANDLING, HANDLING_NAME, HANDLING_NAME_BYTES } from "./slot-descriptor.js";

/*
 * How a message names its method. What a definition has is a number, see name-table. Any other name is text, the last
 * bytes of the record, and stands in the place of the number as minus its length: so what no definition has is
 * refused by the actor itself, and leaves nothing behind.
 */
const MAX_METHOD_NAME_BYTES = 256;

/** A lone half of a surrogate pair: there is no UTF-8 for it. */
const ILL_FORMED = /\p{Surrogate}/u;
const SHOWN = 80;

/** What names of methods there are: numbers to names. */
interface Names {
  name(id: number): string;
}

/** What is wrong with `name` as the name of a method; undefined when nothing is. */
export function methodNameFault(name: unknown): string | undefined {
  if (typeof name !== "string") return "a method's name is a string";
  // One unit takes up to three bytes: what is longer than that need not be counted.
  const bytes = name.length > MAX_METHOD_NAME_BYTES ? Infinity : Buffer.byteLength(name);
  if (bytes === 0 || bytes > MAX_METHOD_NAME_BYTES) return `a method's name has 1 to ${MAX_METHOD_NAME_BYTES} bytes`;
  return ILL_FORMED.test(name) ? "a method's name is well-formed Unicode, without half of a surrogate pair" : undefined;
}

/** Throws ERR_UNKNOWN_METHOD for what no actor can have. */
export function checkMethodName(name: string): void {
  const fault = methodNameFault(name);
  if (fault === undefined) return;
  const shown = typeof name === "string" ? JSON.stringify(name.slice(0, SHOWN)) : typeof name;
  throw new ActorError("ERR_UNKNOWN_METHOD", `method=${shown}: ${fault}`, { method: shown });
}

/** What stands for `name` in a record that carries it as text. Throws ERR_UNKNOWN_METHOD for what no actor can have. */
export function textMethod(name: string): number {
  checkMethodName(name);
  return -Buffer.byteLength(name);
}

/** The text of a record's method; the record, or the payload that will be one, ends at byte `end`. */
export function methodTextIn(method: number, bytes: Uint8Array, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + end + method, -method).toString();
}

/** The name of the method of a message on its way. */
export function methodOf(
  names: Names,
  method: number,
  { bytes, length }: { readonly bytes: Uint8Array; readonly length: number },
): string {
  return method < 0 ? methodTextIn(method, bytes, length) : names.name(method);
}

/** What the consumer of this slot is handling; "" when nothing. */
export function handlingName(names: Names, words: Int32Array): string {
  const method = words[HANDLING];
  if (method >= 0) return names.name(method);
  const name = new Uint8Array(words.buffer, words.byteOffset + HANDLING_NAME * 4, HANDLING_NAME_BYTES);
  const length = Math.min(-method, HANDLING_NAME_BYTES);
  return methodTextIn(-length, name, length);
}
