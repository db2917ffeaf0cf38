import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { isActorError } from "@mini-otp/runtime";
import type { Sender } from "@mini-otp/worker-host/protocol/refs";
import { Codec, keepPayload } from "@mini-otp/worker-host/protocol/values";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import { fixture, testSystem } from "../support/system.js";
import { describeValue } from "./describe-value.js";

/*
 * What arrives is what structured cloning makes of a value, but for the rows of the table of differences in
 * docs/messages.md: no other difference is let pass here.
 */

const codec = new Codec({} as Sender);
const roundTrip = (value: unknown): unknown => codec.decodeArgs(keepPayload(codec.encodeArgs([value])))[0];
const realm = createContext({});
const foreign = (code: string): unknown => runInContext(code, realm);

class Point {
  x = 1;
  #hidden = 2;
  y = this.#hidden;
}
class Named extends Error {
  override name = "RangeError";
  extra = 1;
}
class Grown extends Map<unknown, unknown> {}
class Derived extends Uint8Array {}

const Resizable = ArrayBuffer as new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "binary", maxLength: 20 }));
const odd = fc.constantFrom(
  "\ud800",
  "x\udfffx",
  "a".repeat(70_000),
  "é".repeat(70_000),
  "constructor",
  "__proto__",
  "",
);
const leaf = fc.oneof(
  text,
  odd,
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined, -0, NaN, Infinity, 2 ** 53),
);
const key = fc.oneof(
  text,
  fc.constantFrom(
    "0",
    "1",
    "01",
    "1.5",
    "-1",
    "4294967294",
    "4294967295",
    "4294967296",
    "__proto__",
    "length ",
    "\ud83d",
  ),
);

/** Made anew each time, for a value is looked at more than once. */
const maker = (make: () => unknown) => fc.constant(0).map(make);
const special = fc.oneof(
  maker(() => new Date(NaN)),
  maker(() => new Date(8.64e15)),
  maker(() => "a1b2".match(/(?<letter>[a-z])(\d)/)),
  maker(() => ["a1b2".matchAll(/\d/g).next().value]),
  maker(() => Object.assign(/a+/gy, { lastIndex: 1 })),
  maker(() => Object(1n)),
  maker(() => Object("boxed")),
  maker(() => Object(-0)),
  maker(() => Object(false)),
  maker(() => new Point()),
  maker(() => Object.freeze({ a: Object.freeze(Object.assign(new Array(3), { 0: 1, 2: 2 })) })),
  maker(() => Object.assign(Object.create(null), { a: 1 })),
  maker(() => Object.create({})),
  maker(() => JSON.parse('{"__proto__": {"a": [1]}}')),
  maker(() => ({ [Symbol("s")]: 1, a: 1 })),
  maker(() => Object.defineProperty({ a: 1 }, "hidden", { value: 1 })),
  maker(() => Object.assign(new Grown().set(1, { a: 1 }), { own: 1 })),
  maker(() => new Derived([1, 2, 3])),
  maker(() => Object.assign(new Array(3), { 0: 1, 2: 3, total: 2 })),
  maker(() => Object.assign([1, 2, 3], { total: 6, "01": 1, "-1": 2 })),
  maker(() =>
    Object.assign(
      Array.from({ length: 300 }, (_, i) => i),
      { total: 2 },
    ),
  ),
  maker(() => Object.assign(new Array(500), { 3: "c", 499: "z", more: 1 })),
  maker(() => Array.from({ length: 300 }, (_, i) => i)),
  maker(() => Object.assign(Array.from({ length: 200 }, String), { length: 250 })),
  maker(() => new Array(4_294_967_295)),
  maker(() => foreign("({ a: [1, { b: 2 }] })")),
  maker(() => foreign("new Map([[1, new Set([new Date(5)])]])")),
  maker(() => foreign("new RangeError('elsewhere', { cause: new TypeError('why') })")),
  maker(() => foreign("[/a/g, new Uint16Array([1, 2]), new ArrayBuffer(3), Object('s')]")),
  maker(() => foreign("new (class { constructor() { this.x = 1 } })()")),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  fc.float64Array({ maxLength: 6 }),
  fc.bigInt64Array({ maxLength: 6 }),
  maker(() => new Uint8Array(20).fill(7).buffer),
  maker(() => new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)),
  maker(() => new Uint16Array(new Uint8Array(20).fill(7).buffer, 2, 5)),
  maker(() => new Resizable(4, { maxByteLength: 16 })),
  maker(() => new Uint8Array(new Resizable(4, { maxByteLength: 16 }))),
  maker(() => new Uint16Array(new Resizable(8, { maxByteLength: 8 }), 2)),
  maker(() => new Uint8Array(new Resizable(4, { maxByteLength: 16 }), 1, 2)),
  maker(() => new Uint8Array(0)),
);
const error = fc.oneof(
  fc
    .constantFrom(Error, TypeError, RangeError, SyntaxError, URIError, EvalError, ReferenceError)
    .map((Class) => new (Class as ErrorConstructor)("m")),
  maker(() => new Error("e", { cause: undefined })),
  maker(() => Object.assign(new Error("e"), { cause: { a: 1 } })),
  maker(() => new Named("own")),
  maker(() => {
    let chain = new Error("0");
    for (let i = 1; i < 60; i++) chain = new Error(String(i), { cause: chain });
    return chain;
  }),
  maker(() => Object.assign(new Error("e"), { stack: undefined })),
);
const refused = fc.oneof(
  maker(() => () => {}),
  maker(() => Symbol("s")),
  maker(() => new WeakMap()),
  maker(() => new WeakRef({})),
  maker(() => Promise.resolve()),
  maker(() => {
    const buffer = new ArrayBuffer(8);
    const view = new Uint8Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    return [buffer, { view }];
  }),
  maker(() => {
    const view = new Uint8Array(0);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  }),
  maker(() => ({
    get broken() {
      throw new RangeError("no such thing");
    },
  })),
  maker(() => Object(Symbol("s"))),
);

let gotten = 0;
const values = (withRefused: boolean) =>
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      special,
      bytes,
      error,
      ...(withRefused ? [refused] : []),
      tie("list"),
      tie("object"),
      tie("map"),
      tie("set"),
      tie("getter"),
    ),
    list: fc.array(tie("value"), { maxLength: 5 }),
    object: fc.dictionary(key, tie("value"), { maxKeys: 6, noNullPrototype: true }),
    map: fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((entries) => new Map(entries)),
    set: fc.array(tie("value"), { maxLength: 3 }).map((items) => new Set(items)),
    getter: fc.tuple(key, tie("value")).map(([name, value]) =>
      Object.defineProperty({ before: 1 }, name, {
        enumerable: true,
        configurable: true,
        get() {
          gotten++;
          return value;
        },
      }),
    ),
  })).value;

/** What both make of it: text of the copy, or that it is refused; and how many getters ran. */
function outcomeOf(clone: (value: unknown) => unknown, value: unknown, identity: boolean) {
  gotten = 0;
  try {
    const copy = clone(value);
    const reads = gotten;
    return { text: describeValue(copy, { identity }), reads };
  } catch (error) {
    if (clone !== structuredClone) {
      expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE", path: expect.stringMatching(/^args\[0\]/) });
    }
    return { text: "refused", reads: -1 };
  }
}

// Promise: arrives-structured-cloning-makes
test("what arrives is what structuredClone makes of it, and each getter runs once", () => {
  fc.assert(
    fc.property(values(false), (value) => {
      expect(outcomeOf(roundTrip, value, false)).toEqual(outcomeOf(structuredClone, value, false));
    }),
    { numRuns: 4000 },
  );
});

// Promise: arrives-structured-cloning-makes
test("what structuredClone refuses is refused, with ERR_NOT_CLONEABLE and a path, unless it is part of an error", () => {
  fc.assert(
    fc.property(values(true), (value) => {
      expect(outcomeOf(roundTrip, value, false)).toEqual(outcomeOf(structuredClone, value, false));
    }),
    { numRuns: 4000 },
  );
});

/** Plain data beside a Date, of objects that refer to each other in every way. */
const graph = fc
  .array(fc.tuple(fc.constantFrom("object", "array", "map", "set", "error"), fc.array(fc.nat(), { maxLength: 4 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((nodes) => {
    const made: any[] = nodes.map(([kind]) => {
      if (kind === "object") return {};
      if (kind === "array") return [];
      if (kind === "map") return new Map();
      return kind === "set" ? new Set() : new Error("in a circle");
    });
    nodes.forEach(([kind, targets], i) => {
      for (const [j, target] of targets.entries()) {
        const to = made[target % made.length];
        if (kind === "object") made[i][`to${j}`] = to;
        else if (kind === "array") made[i].push(to);
        else if (kind === "map") made[i].set(to, made[(target + 1) % made.length]);
        else if (kind === "set") made[i].add(to);
        else made[i].cause = to;
      }
    });
    return [new Date(0), ...made];
  });

test("objects that are in a message twice, or in circles, are one object there", () => {
  fc.assert(
    fc.property(graph, (value) => {
      let copy: unknown;
      try {
        copy = structuredClone(value);
      } catch {
        // Of errors in circles, Node 20 cannot read what it has written.
        fc.pre(false);
      }
      expect(describeValue(roundTrip(value), { identity: true })).toBe(describeValue(copy, { identity: true }));
    }),
    { numRuns: 2000 },
  );
});

// Promise: arrives-structured-cloning-makes
test("values go through threads as they go through the codec, by the ring and by parcel", async () => {
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const shared = new SharedArrayBuffer(8);
  await fc.assert(
    fc.asyncProperty(values(false), fc.boolean(), async (value, byParcel) => {
      const sent = byParcel ? [value, shared] : [value];
      const [copy] = (await echo.call("echo", sent as never)) as unknown[];
      // Twice: what arrived was sent back.
      const expected = structuredClone(structuredClone(value));
      expect(describeValue(copy, { identity: false })).toBe(describeValue(expected, { identity: false }));
    }),
    { numRuns: 300 },
  );
}, 60_000);

describe("of views on one buffer", () => {
  const beside = new Date(0);

  test("typed arrays and the buffer itself share it, with their places in it", () => {
    const buffer = new Uint8Array([...Array(64).keys()]).buffer;
    const one = new Uint8Array(buffer, 3, 5);
    const other = new Float64Array(buffer, 8, 2);
    const views = roundTrip({ one, other, beside }) as any;
    expect(views.one.buffer).toBe(views.other.buffer);
    expect([views.one.byteOffset, views.other.byteOffset]).toEqual([3, 8]);
    expect(views).toStrictEqual(structuredClone({ one, other, beside }));
    const withBuffer = roundTrip({ one, buffer, view: new DataView(buffer, 1), beside }) as any;
    expect(withBuffer.one.buffer).toBe(withBuffer.buffer);
    expect(withBuffer.view.byteOffset).toBe(1);
  });

  test("Buffers that overlap share what they cover, and nothing else of their pool arrives", () => {
    const pool = Buffer.from("secret0123456789secret");
    const [one, other] = [pool.subarray(6, 12), pool.subarray(10, 16)];
    const copy = roundTrip({ one, other, beside }) as { one: Buffer; other: Buffer };
    expect([copy.one.toString(), copy.other.toString()]).toEqual(["012345", "456789"]);
    copy.one[4] = 33;
    expect(copy.other.toString()).toBe("!56789");
    expect(Buffer.from(copy.one.buffer).includes("secret")).toBe(false);
  });

  test("a view that grows with its buffer still does", () => {
    const buffer = new Resizable(8, { maxByteLength: 16 });
    const views = roundTrip({ grows: new Uint8Array(buffer), fixed: new Uint8Array(buffer, 0, 8), buffer }) as any;
    views.buffer.resize(16);
    expect([views.grows.length, views.fixed.length]).toEqual([16, 8]);
  });
});

describe("the differences from structured cloning in docs/messages.md", () => {
  class Account {
    balance = 1;
    deposit() {}
  }
  const nested = (levels: number): unknown => (levels === 0 ? {} : { in: nested(levels - 1) });
  const refusal = (value: unknown): unknown => {
    try {
      return roundTrip(value);
    } catch (error) {
      return isActorError(error) ? error.code : error;
    }
  };
  const clone = (value: unknown): unknown => {
    try {
      return structuredClone(value);
    } catch {
      return "refused";
    }
  };
  function args(..._args: unknown[]): unknown {
    // biome-ignore lint/complexity/noArguments: they are what is sent.
    return arguments;
  }
  const circle = new Error("round");
  circle.cause = { circle };
  const twice = { n: 1 };
  const held = new Uint8Array(100).subarray(10, 12);
  const proof: Record<string, [there: () => unknown, here: () => unknown]> = {
    "a `Buffer`": [
      () => Buffer.isBuffer(structuredClone(Buffer.from("a"))),
      () => Buffer.isBuffer(roundTrip(Buffer.from("a"))),
    ],
    "a view that is alone on its buffer": [
      () => structuredClone(held).buffer.byteLength,
      () => (roundTrip(held) as Uint8Array).buffer.byteLength,
    ],
    "Buffers on one buffer that do not overlap": [
      () => {
        const [one, other] = structuredClone([Buffer.from("a"), Buffer.from("b")]);
        return one.buffer === other.buffer;
      },
      () => {
        const [, one, other] = roundTrip([new Date(0), Buffer.from("a"), Buffer.from("b")]) as [Date, Buffer, Buffer];
        return one.buffer === other.buffer;
      },
    ],
    "what is in JSON-like data twice": [
      () => structuredClone([twice, twice]).reduce((one, other) => (one === other ? { n: 1 } : { n: 2 })),
      () => (roundTrip([twice, twice]) as any[]).reduce((one, other) => (one === other ? { n: 1 } : { n: 2 })),
    ],
    "an error's other properties, class and name": [
      () => Object.keys(structuredClone(new Named("x"))),
      () => Object.keys(roundTrip(new Named("x")) as object),
    ],
    "an error's properties that cannot be cloned": [
      () => clone(new Error("e", { cause: () => {} })),
      () => (roundTrip(new Error("e", { cause: () => {} })) as Error).message,
    ],
    "an instance of a class with methods": [() => structuredClone(new Account()), () => refusal(new Account())],
    "more than 1 000 levels": [() => typeof structuredClone(nested(1100)), () => refusal(nested(1100))],
    "a `Proxy`": [() => clone(new Proxy({ a: 1 }, {})), () => roundTrip(new Proxy({ a: 1 }, {}))],
    "`arguments`": [() => clone(args(1)), () => roundTrip(args(1))],
    "errors in circles": [() => "refused by some versions of Node", () => (roundTrip(circle) as Error).message],
    "`URL`, `Headers`, `Intl` formats and the like": [() => clone(new Headers()), () => refusal(new Headers())],
    "`ActorRef`, `RouterRef`, `PoolRef`": [() => "a plain object", () => "a reference"],
    "`Comlink.proxy` values": [() => "refused", () => "a remote"],
  };
  const docs = readFileSync(new URL("../../../docs/messages.md", import.meta.url), "utf8");
  const rows = docs
    .slice(docs.indexOf("## Where it differs from structured cloning"))
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2)
    .map((line) => line.split("|")[1].trim());

  // Promise: arrives-structured-cloning-makes
  test("are those that this file knows, and no others", () => {
    expect(rows.toSorted()).toEqual(Object.keys(proof).toSorted());
  });

  test.each(Object.keys(proof))("%s", (row) => {
    const [there, here] = proof[row];
    expect(here()).not.toEqual(there());
  });
});
