import { MAX_KEYS, MAX_KEYS_BYTES, TAG_OBJECT } from "./plain-format.js";

/** A shape met this often gets code of its own, as long as a thread has not more than so many. */
const COMPILED_AFTER = 64;
const MAX_COMPILED = 256;
const PLAIN_KEY = /^[A-Za-z_$][\w$]*$/;

/** 0 where code must not be made of text (`--disallow-code-generation-from-strings`). */
let mayCompile = MAX_COMPILED;

/** Objects with the same keys in the same order, on one side: `Code` is what puts their values, or gets them. */
export interface Shape<Code> {
  readonly keys: readonly string[];
  /** All that is written of such an object before its values. */
  readonly head: Uint8Array;
  /** The same memory, and up to three bytes more. */
  readonly headWords: Int32Array;
  met: number;
  code: Code | undefined;
}

/** Undefined for keys that are written in another way. */
export function shapeOf<Code>(keys: readonly string[]): Shape<Code> | undefined {
  const keysBytes = keys.reduce((sum, key) => sum + 1 + key.length, 0);
  if (keys.length > MAX_KEYS || keysBytes > MAX_KEYS_BYTES || keys.includes("__proto__")) return undefined;
  const headWords = new Int32Array((2 + keysBytes + 3) >> 2);
  const head = new Uint8Array(headWords.buffer, 0, 2 + keysBytes);
  let at = 0;
  head[at++] = TAG_OBJECT | keys.length;
  head[at++] = keysBytes;
  for (const key of keys) {
    head[at++] = key.length;
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      if (code > 0xff) return undefined;
      head[at++] = code;
    }
  }
  return { keys, head, headWords, met: 0, code: undefined };
}

/**
 * The shape's own code, once it has been met often: V8 reads and makes an object whose keys it knows beforehand in a
 * fraction of the time that it takes with keys it does not. `expression` is made of identifiers only, and may use `step`.
 */
export function codeOf<Code>(
  shape: Shape<Code>,
  parameters: string | ((keys: readonly string[]) => string),
  expression: (keys: readonly string[]) => string,
  step: (...args: never[]) => unknown,
): Code | undefined {
  if (shape.code !== undefined || mayCompile === 0 || ++shape.met !== COMPILED_AFTER) return shape.code;
  if (!shape.keys.every((key) => PLAIN_KEY.test(key))) return undefined;
  try {
    const names = typeof parameters === "string" ? parameters : parameters(shape.keys);
    shape.code = new Function("step", `return (${names}) => (${expression(shape.keys)})`)(step) as Code;
    mayCompile--;
  } catch {
    mayCompile = 0;
  }
  return shape.code;
}

const PLACES = 256;
/** Objects with ever other keys must not wear the table out: only so many newcomers take another's place. */
const NEWCOMERS_PER_PLACE = 4;

/** The shapes that one side of a thread has met. */
export class ShapeTable<Code> {
  readonly #places = new Array<Shape<Code> | undefined>(PLACES).fill(undefined);
  #newcomers = 0;

  at(hash: number): Shape<Code> | undefined {
    return this.#places[hash % PLACES];
  }

  offer(hash: number, shape: Shape<Code>): void {
    const place = hash % PLACES;
    if (this.#places[place] === undefined || ++this.#newcomers % NEWCOMERS_PER_PLACE === 0) this.#places[place] = shape;
  }
}
