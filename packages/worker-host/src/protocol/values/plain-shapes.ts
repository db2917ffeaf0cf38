import { MAX_KEYS, MAX_KEYS_BYTES, TAG_OBJECT } from "./plain-format.js";

/** A shape met this often gets code of its own, until a thread has MAX_COMPILED of them. */
const COMPILED_AFTER = 64;
const MAX_COMPILED = 256;
const PLAIN_KEY = /^[A-Za-z_$][\w$]*$/;

/** How many more shapes may be compiled; 0 under `--disallow-code-generation-from-strings`. */
let mayCompile = MAX_COMPILED;

/** Objects with the same keys in the same order. `Code` writes their values, or reads them. */
export interface Shape<Code> {
  readonly keys: readonly string[];
  /** The bytes of such an object before its values. */
  readonly head: Uint8Array;
  /** The same memory as words, with up to three bytes more. */
  readonly headWords: Int32Array;
  met: number;
  code: Code | undefined;
  /** The shape of the object that came after one of this shape, if it has code; and whether another came last time. */
  next: Shape<Code> | undefined;
  isNextInDoubt: boolean;
}

/** Undefined for keys that this format cannot write. */
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
  return { keys, head, headWords, met: 0, code: undefined, next: undefined, isNextInDoubt: false };
}

/**
 * The shape's own code, once it has been met often. With keys known in the source, V8 reads and makes an object in a
 * fraction of the time. `source` is a function's, which knows what it needs by `parts`. It consists of keys that are
 * identifiers, of numbers, and of names of its own.
 */
export function codeOf<Code>(
  shape: Shape<Code>,
  source: (shape: Shape<Code>) => string,
  parts: (shape: Shape<Code>) => object,
): Code | undefined {
  if (shape.code !== undefined || mayCompile === 0 || ++shape.met !== COMPILED_AFTER) return shape.code;
  if (!shape.keys.every((key) => PLAIN_KEY.test(key))) return undefined;
  try {
    const given = parts(shape);
    shape.code = new Function(`{ ${Object.keys(given).join(", ")} }`, `return ${source(shape)}`)(given) as Code;
    mayCompile--;
  } catch {
    mayCompile = 0;
  }
  return shape.code;
}

/** Source of a function that tells whether an object has just the keys of a shape. It needs `keys` and `hasOwn`. */
export const MATCHES = `(object) => {
      let i = 0;
      for (const key in object) if (key !== keys[i++] || !hasOwn.call(object, key)) return false;
      return i === keys.length;
    }`;

/** Twice in a row before a shape is expected: the end of a list of equal objects does not change what follows them. */
export function follows<Code>(before: Shape<Code>, shape: Shape<Code>): void {
  if (before.next === undefined || before.isNextInDoubt) before.next = shape;
  before.isNextInDoubt = before.next !== shape;
}

const PLACES = 256;
/** Only one in this many new shapes replaces another, so that objects with ever new keys do not displace all others. */
const NEWCOMERS_PER_PLACE = 4;

/** The shapes that a thread has met, on its writing or its reading side. */
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
