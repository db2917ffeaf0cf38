import { createSecretKey } from "node:crypto";
import { BlockList } from "node:net";
import { MessageChannel } from "node:worker_threads";
import type { Sender } from "@mini-otp/worker-host/protocol/refs";
import { Codec, keepPayload } from "@mini-otp/worker-host/protocol/values";
import { describe, expect, test } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import type Log from "../fixtures/log.actor.js";
import { fixture, testSystem } from "../support/system.js";

const codec = new Codec({} as Sender);
const roundTrip = (value: unknown): any => codec.decodeArgs(keepPayload(codec.encodeArgs([value])))[0];
/** An array of this length with nothing but these elements. */
const sparse = (length: number, elements: Record<number, unknown>): unknown[] =>
  Object.assign(new Array(length), elements);

class Point {
  x = 1;
  y = 2;
}
class Greeter {
  greet() {}
}

describe("a value arrives as it was sent", () => {
  test.each<[string, unknown]>([
    ["integers", [0, 1, -1, 255, 65_536, -32_769, 2 ** 31, -(2 ** 31), 2 ** 53 - 1]],
    ["other numbers", [1.5, NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE]],
    ["minus zero", [-0, { inside: -0 }]],
    ["bigints", [0n, -1n, 2n ** 64n, -(2n ** 200n)]],
    ["strings", ["", "a", "h\u00e9llo \u20ac \u{1f600}", "x".repeat(100_000)]],
    [
      "halves of surrogate pairs",
      ["\ud800", `${"x".repeat(300)}\udfff`, { "k\ud83d": 1 }, new Map([["\udc00", "é\ud801"]])],
    ],
    ["null, undefined and booleans", [null, undefined, true, false, { a: undefined }]],
    ["nested arrays and objects", [[[[]]], { a: { b: { c: [{}] } } }]],
    ["a sparse array", sparse(5, { 1: 1, 3: 2 })],
    [
      "Map and Set",
      [
        new Map<unknown, unknown>([
          [1, "a"],
          [{ k: 1 }, new Set([1, [2]])],
        ]),
        new Set(),
      ],
    ],
    ["Date and RegExp", [new Date(12_345), /a+(b)/giu]],
    ["ArrayBuffer and DataView", [new Uint8Array([1, 2]).buffer, new DataView(new Uint8Array([3, 4]).buffer)]],
    [
      "typed arrays",
      [new Int8Array([1]), new Uint16Array([1, 2, 3]).subarray(1), new Float64Array([1.5]), new BigInt64Array([1n])],
    ],
    ...("Float16Array" in globalThis
      ? [["a Float16Array", new (globalThis as any).Float16Array([1.5])] as [string, unknown]]
      : []),
    ["bytes", new Uint8Array([1, 2, 3])],
    ["boxed primitives", [Object(1), Object("a"), Object(true), Object(1n)]],
    ["bytes inside", { bytes: new Uint8Array(0), list: [new Uint8Array([7])] }],
    ["keys that name prototypes", { constructor: 1, prototype: 2, toString: 3, hasOwnProperty: 4 }],
  ])("%s", (_name, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
  });

  test("the holes of a sparse array", () => {
    const array = roundTrip(sparse(3, { 1: 1 })) as unknown[];
    expect([array.length, 0 in array, 1 in array, 2 in array]).toEqual([3, false, true, false]);
  });

  test("minus zero as minus zero", () => {
    expect(Object.is(roundTrip(-0), -0)).toBe(true);
    expect(Object.is(roundTrip([0, -0])[1], -0)).toBe(true);
  });

  test("an instance of a class without methods, as a plain object", () => {
    expect(roundTrip(new Point())).toStrictEqual({ x: 1, y: 2 });
  });

  test("a Buffer as a Buffer, without the other bytes of its pool", () => {
    const secret = Buffer.from("a secret of somebody else's");
    const buffer = Buffer.from("hi");
    expect(buffer.buffer).toBe(secret.buffer);
    for (const value of [buffer, { buffer }, { buffer, at: new Date(0) }, new Map([["buffer", buffer]])] as any[]) {
      const copy = roundTrip(value);
      const arrived: Buffer = copy.buffer instanceof ArrayBuffer ? copy : (copy.buffer ?? copy.get("buffer"));
      expect(Buffer.isBuffer(arrived)).toBe(true);
      expect(arrived.toString()).toBe("hi");
      expect(Buffer.from(arrived.buffer).includes("secret")).toBe(false);
    }
  });

  // Promise: value-arrives-was-sent
  // Promise: object-message-holds-twice
  test("cycles and shared objects, with their identity", () => {
    const shared = { n: 1 };
    const value: any = { left: shared, right: shared, map: new Map() };
    value.self = value;
    value.map.set(value, new Set([value]));
    const copy = roundTrip(value);
    expect(copy.self).toBe(copy);
    expect(copy.left).toBe(copy.right);
    expect([...copy.map.get(copy)]).toEqual([copy]);
  });

  // Promise: object-message-holds-twice
  test("an object that plain data holds twice, as two", () => {
    const shared = { n: 1 };
    const copy = roundTrip({ left: shared, right: shared });
    expect(copy).toStrictEqual({ left: { n: 1 }, right: { n: 1 } });
    expect(copy.left).not.toBe(copy.right);
    const rich = roundTrip({ left: shared, right: shared, at: new Date(0) });
    expect(rich.left).toBe(rich.right);
  });

  test("an error with its class, cause and own properties, less what cannot be carried", () => {
    const error: any = new RangeError("too far", { cause: new TypeError("because") });
    Object.assign(error, { code: "E_FAR", at: new Map([["km", 3]]), callback: () => {}, self: error });
    Object.defineProperty(error, "trap", {
      enumerable: true,
      get() {
        throw new Error("trapped");
      },
    });
    const copy = roundTrip(error);
    expect(copy).toBeInstanceOf(RangeError);
    expect(copy).toMatchObject({ name: "RangeError", message: "too far", code: "E_FAR", stack: error.stack });
    expect(copy.cause).toBeInstanceOf(TypeError);
    expect(copy.at).toEqual(new Map([["km", 3]]));
    expect(copy.self).toBe(copy);
    expect(Object.keys(copy)).toEqual(["code", "at", "self"]);
  });

  test("an error of a class of the user's own, as an Error with its name", () => {
    class QuotaError extends Error {
      override name = "QuotaError";
    }
    const copy = roundTrip(new QuotaError("full"));
    expect(copy).toBeInstanceOf(Error);
    expect([copy.name, copy.message]).toEqual(["QuotaError", "full"]);
  });
});

test("a resizable buffer arrives as one", () => {
  const Resizable = ArrayBuffer as new (length: number, options: { maxByteLength: number }) => any;
  const buffer = new Resizable(3, { maxByteLength: 8 });
  new Uint8Array(buffer).set([1, 2, 3]);
  const copy = roundTrip({ buffer }).buffer;
  expect([copy.resizable, copy.maxByteLength, ...new Uint8Array(copy)]).toEqual([true, 8, 1, 2, 3]);
  copy.resize(8);
  expect(buffer.byteLength).toBe(3);
});

test("an AggregateError arrives as one, with its errors", () => {
  const copy = roundTrip(new AggregateError([new TypeError("a"), 5], "many"));
  expect(copy).toBeInstanceOf(AggregateError);
  expect([copy.name, copy.message, copy.errors[1]]).toEqual(["AggregateError", "many", 5]);
  expect(copy.errors[0]).toBeInstanceOf(TypeError);
  expect(Object.keys(copy)).toEqual([]);
});

test("a DOMException arrives as one, with its name and code", () => {
  const error = new DOMException("given up", "AbortError");
  const copy = roundTrip({ error }).error;
  expect(copy).toBeInstanceOf(DOMException);
  expect([copy.name, copy.message, copy.code, copy.stack]).toEqual(["AbortError", "given up", 20, error.stack]);
});

// Promise: key---proto---arrives-key
test("a key that names the prototype arrives as a key and changes none", () => {
  const copy = roundTrip(JSON.parse('{"a": {"__proto__": {"polluted": true}}}'));
  expect(Object.getPrototypeOf(copy.a)).toBe(Object.prototype);
  expect(Object.hasOwn(copy.a, "__proto__")).toBe(true);
  expect(copy.a.polluted).toBeUndefined();
  expect(({} as any).polluted).toBeUndefined();
});

test.each<[string, unknown, string]>([
  ["a function", () => {}, "args[0]"],
  ["a function deep inside", { handlers: [{ onDone() {} }] }, "args[0].handlers[0].onDone"],
  ["a symbol", { key: Symbol("s") }, "args[0].key"],
  ["a class instance with methods", { "a b": new Greeter() }, 'args[0]["a b"]'],
  ["a WeakMap", [new WeakMap()], "args[0][0]"],
  ["a promise", Promise.resolve(), "args[0]"],
  ["a URL", { at: new URL("https://example.org/") }, "args[0].at"],
  ["a boxed symbol", Object(Symbol("s")), "args[0]"],
  ["a stream", new ReadableStream(), "args[0]"],
  ["a function in a Map", new Map([["k", () => {}]]), "args[0].get(k)"],
  // Promise: value-arrives-was-sent
])("%s is refused with ERR_NOT_CLONEABLE and its path", (_name, value, path) => {
  expect(() => roundTrip(value)).toThrow(expect.objectContaining({ code: "ERR_NOT_CLONEABLE", path }));
});

test("a value nested too deeply is refused with ERR_NOT_CLONEABLE, one of 900 levels is not", () => {
  const nested = (levels: number): unknown => (levels === 0 ? {} : { in: nested(levels - 1) });
  expect(roundTrip(nested(900))).toStrictEqual(nested(900));
  expect(() => roundTrip(nested(1100))).toThrow(expect.objectContaining({ code: "ERR_NOT_CLONEABLE" }));
});

test("a graph of shared objects is encoded once for each object, not once for each path to it", () => {
  let value: unknown = {};
  for (let i = 0; i < 60; i++) value = { left: value, right: value };
  expect(codec.encodeArgs([value]).length).toBeLessThan(10_000);
});

test("values cross threads as they cross the codec", async () => {
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const value = { map: new Map([[1, new Date(5)]]), list: sparse(3, { 1: -0, 2: 10n }), self: [echo] };
  const reply: any = await echo.call("echo", value);
  expect(reply.map).toEqual(value.map);
  expect(reply.list).toStrictEqual(value.list);
  expect(reply.self[0].id).toBe("root/echo");
});

describe("what no bytes can carry", () => {
  const { WebAssembly: wasm } = globalThis as any;
  async function echoes() {
    const system = await testSystem();
    const [echo, far] = await Promise.all(
      ["echo", "far"].map((id) => system.startChild<typeof Echo>({ id, actor: fixture("echo") })),
    );
    return { system, echo, far };
  }
  const isSameMemory = (one: Int32Array, other: Int32Array): boolean => {
    Atomics.store(one, 0, Math.trunc(Math.random() * 1e9) + 1);
    return Atomics.load(other, 0) === Atomics.load(one, 0) && one !== other;
  };

  // Promise: shared-memory-stays-shared
  test("shared memory stays shared, alone, in views and from actor to actor", async () => {
    const { echo, far } = await echoes();
    const buffer = new SharedArrayBuffer(64);
    const words = new Int32Array(buffer);
    const alone = (await echo.call("echo", buffer)) as SharedArrayBuffer;
    expect(isSameMemory(words, new Int32Array(alone))).toBe(true);
    const reply: any = await echo.call("forward", far, { buffer, view: new Int32Array(buffer, 4, 2), twice: buffer });
    expect(reply.buffer).toBe(reply.twice);
    expect(reply.view.buffer).toBe(reply.buffer);
    expect([reply.view.byteOffset, reply.view.length]).toEqual([4, 2]);
    expect(isSameMemory(words.subarray(1), reply.view)).toBe(true);
    const bytes = (await echo.call("echo", new Uint8Array(buffer))) as Uint8Array;
    expect(isSameMemory(words, new Int32Array(bytes.buffer))).toBe(true);
  });

  // Promise: shared-memory-stays-shared
  test("a Blob, a key, a compiled module and a block list arrive as what they are", async () => {
    const { echo } = await echoes();
    const blocked = new BlockList();
    blocked.addAddress("10.0.0.1");
    const sent = {
      blob: new Blob(["hello"], { type: "text/plain" }),
      key: createSecretKey(Buffer.from("secret")),
      code: new wasm.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
      blocked,
    };
    const reply: any = await echo.call("echo", sent as never);
    expect([reply.blob.type, await reply.blob.text()]).toEqual(["text/plain", "hello"]);
    expect(reply.key.export().toString()).toBe("secret");
    expect(reply.code).toBeInstanceOf(wasm.Module);
    expect(reply.blocked.check("10.0.0.1")).toBe(true);
  });

  // Promise: shared-memory-stays-shared
  test("it keeps its place among other messages", async () => {
    const { system } = await echoes();
    const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
    for (let i = 0; i < 50; i++) void log.cast("add", i % 2 === 0 ? i : { i, buffer: new SharedArrayBuffer(8) });
    const entries = (await log.call("untilCount", 50)) as any[];
    expect(entries.map((entry) => entry.i ?? entry)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  // Promise: shared-memory-stays-shared
  test("it can be in the arguments of an actor, in its state, and in what an upgrade hands over", async () => {
    const { system } = await echoes();
    const words = new Int32Array(new SharedArrayBuffer(8));
    const keeper = await system.startChild({ id: "keeper", actor: fixture("keeper"), args: { words } });
    expect(await keeper.call("add")).toBe(1);
    expect(words[0]).toBe(1);
    expect(isSameMemory(words, (await system.getState(keeper)).words)).toBe(true);
    const others = new Int32Array(new SharedArrayBuffer(8));
    await system.replaceState(keeper, { words: others });
    await keeper.call("add");
    expect(others[0]).toBe(1);
    await system.upgrade(keeper, fixture("keeper"));
    await keeper.call("add");
    expect(others[0]).toBe(2);
    await keeper.call("crash").catch(() => {});
    await keeper.call("add");
    expect(words[0]).toBeGreaterThan(0);
    expect(isSameMemory(words, (await system.getState(keeper)).words)).toBe(true);
  });

  test("a message port in a message that does not transfer it is refused, and the error says what to do", () => {
    const { port1, port2 } = new MessageChannel();
    expect(() => roundTrip({ port1 })).toThrow(/args\[0\]\.port1 is a MessagePort.*with\(\{ transfer \}\)/);
    port1.close();
    port2.close();
  });
});

// Promise: transferred-buffer-gone-sender
test("a buffer that is transferred arrives whole and is gone here", async () => {
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const bytes = new Uint8Array(1024).fill(9);
  const { buffer } = bytes;
  const reply = await echo.with({ transfer: [buffer] }).call("echo", { bytes, at: 3 });
  expect(reply).toEqual({ bytes: new Uint8Array(1024).fill(9), at: 3 });
  expect(buffer.byteLength).toBe(0);
});

// Promise: transferred-buffer-gone-sender
test("a buffer of 256 MiB is transferred between actors without a copy", async () => {
  const system = await testSystem();
  const limits = { heapCapMb: 64, offHeapCapMb: 600 };
  const owner = await system.startChild({ id: "owner", actor: fixture("buffers"), ...limits });
  const taker = await system.startChild({ id: "taker", actor: fixture("buffers"), ...limits });
  const bytes = 256 * 1024 * 1024;
  await owner.call("allocate", bytes);
  const before = process.memoryUsage().rss;
  const taken = await owner.with({ timeoutMs: 30_000 }).call("handOver", taker);
  expect(taken).toEqual({ byteLength: bytes, first: 1, last: 2 });
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

test("a message port can be transferred", async () => {
  const system = await testSystem();
  const owner = await system.startChild({ id: "owner", actor: fixture("buffers") });
  const { port1, port2 } = new MessageChannel();
  const received = new Promise((resolve) => {
    port1.once("message", resolve);
  });
  await owner.with({ transfer: [port2] }).cast("speakInto", port2);
  expect(await received).toBe("hello");
  port1.close();
});
