import type { Random } from "./random.js";

/** What a value of the user's throws, where it is asked: that is an error of the user's own, and clear. */
export class Hostility extends Error {
  readonly hostile = true;
}

const hurt = (): never => {
  throw new Hostility("hostile");
};

/** Not spelt out: these are not to be taken for promises. */
const THEN = "then";

const TRAPS = [
  "apply",
  "construct",
  "defineProperty",
  "deleteProperty",
  "get",
  "getOwnPropertyDescriptor",
  "getPrototypeOf",
  "has",
  "isExtensible",
  "ownKeys",
  "preventExtensions",
  "set",
  "setPrototypeOf",
];

function throwingProxy(): object {
  return new Proxy({}, Object.fromEntries(TRAPS.map((trap) => [trap, hurt])));
}

function revoked(of: object): object {
  const { proxy, revoke } = Proxy.revocable(of, {});
  revoke();
  return proxy;
}

function cyclic(): object {
  const list: unknown[] = [];
  const value = { list, self: undefined as unknown };
  list.push(value);
  value.self = value;
  return value;
}

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

const getter = (name: string) => Object.defineProperty({}, name, { get: hurt, enumerable: true });

const MAKERS: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => true,
  () => 0,
  () => -0,
  () => -1,
  () => 1.5,
  () => Number.NaN,
  () => Infinity,
  () => -Infinity,
  () => 2 ** 31,
  () => 2 ** 32 + 1,
  () => 2 ** 53,
  () => 1e308,
  () => 5e-324,
  () => 10n,
  () => 2n ** 80n,
  () => "",
  () => ".",
  () => "..",
  () => "/",
  () => "\0",
  () => "\u001b[31m",
  () => "two\nlines",
  () => "\ud800",
  () => "\u2028",
  () => "%",
  () => "file:///%",
  () => "__proto__",
  () => "constructor",
  () => "toString",
  () => "then",
  () => "x".repeat(100_000),
  () => Symbol("s"),
  () => Symbol.iterator,
  () => [],
  () => Object.assign(new Array(3), { 1: 1 }),
  () => [[[]]],
  () => ({}),
  () => ({ a: 1 }),
  () => Object.create(null),
  () => Object.freeze({ timeoutMs: "5" }),
  () => JSON.parse('{"__proto__":{"timeoutMs":1}}'),
  () => ({ toString: hurt, valueOf: hurt, toJSON: hurt, [Symbol.toPrimitive]: hurt }),
  () => getter("timeoutMs"),
  () => getter("signal"),
  () => getter("id"),
  () => getter("kind"),
  () => getter("then"),
  () => getter("constructor"),
  throwingProxy,
  () => revoked({}),
  () => revoked([]),
  () => revoked(() => {}),
  cyclic,
  () => ({ [THEN]: hurt }),
  () => ({ [THEN]: (resolve: (value: unknown) => void) => resolve(5) }),
  () => Promise.resolve(5),
  () => hurt,
  () => () => {},
  () => async () => {},
  () => class {},
  () => new Map([[cyclic(), 1]]),
  () => new Set([1]),
  () => new WeakMap(),
  () => new Date(Number.NaN),
  () => /x/g,
  () => new Error("an error"),
  () => Object.defineProperty(new Error("an error"), "message", { get: hurt }),
  () => Object.defineProperty(new Error("an error"), "stack", { get: hurt }),
  () => Object.assign(new Error("an error"), { cause: cyclic() }),
  () => new Uint8Array(8),
  () => Buffer.from("abc"),
  () => new ArrayBuffer(8),
  detached,
  () => new SharedArrayBuffer(8),
  () => AbortSignal.abort(),
  () => new AbortController(),
  () => new EventTarget(),
  () => new URL("file:///%"),
  () => new URL("data:text/javascript,"),
  () => new Array(5_000_000),
  () => ({ length: 2 ** 32 }),
  () => Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`key${i}`, i])),
  () => ({ kind: "shutdown", detail: { kind: "linked" } }),
  () => ({ kind: "error", error: throwingProxy() }),
  () => ({ kind: "linked", id: "x", reason: { kind: "linked" } }),
];

/** A value that no sane caller gives. */
export function hostileValue(random: Random): unknown {
  return random.pick(MAKERS)();
}
