import type { Sender } from "@mini-otp/worker-host/protocol/refs";
import { Codec, keepPayload } from "@mini-otp/worker-host/protocol/values";
import fc from "fast-check";
import { expect, test } from "vitest";
import { startProgram } from "../support/program.js";

const codec = new Codec({} as Sender);
const roundTrip = (value: unknown): unknown => codec.decodeArgs(keepPayload(codec.encodeArgs([value])))[0];
/** Oftener than a shape must be met to get code of its own. */
const OFTEN = 200;
/** What a thread writes its messages into at first. */
const BUFFER_BYTES = 64 * 1024;

const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.constantFrom("é".repeat(20), "é".repeat(50), "a".repeat(300), `${"a".repeat(60)}é`, "a".repeat(70_000)),
);
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -0, 127, 128, -1, 2 ** 31, -(2 ** 31), 2 ** 40));
const leaf = fc.oneof(text, number, fc.boolean(), fc.constantFrom(null, undefined), fc.uint8Array({ maxLength: 300 }));
const tree = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, leaf, tie("list"), tie("object")),
  list: fc.array(tie("value"), { maxLength: 20 }),
  object: fc.dictionary(
    fc.oneof(fc.constantFrom("id", "name", "é", "π", "class", "1", ""), fc.string()),
    tie("value"),
    {
      maxKeys: 18,
      noNullPrototype: true,
    },
  ),
})).value;

// Promise: value-arrives-was-sent
test("a tree of plain values arrives as it was sent", () => {
  fc.assert(
    fc.property(tree, (value) => {
      expect(roundTrip(value)).toStrictEqual(value);
    }),
    { numRuns: 3000 },
  );
});

test("text arrives character by character, halves of surrogate pairs too", () => {
  for (const text of ["\ud800", "a\udc00b", `${"é".repeat(50)}\ud83d`, "\u{1f600}\u{1f600}", "𝒳".repeat(100), "漢字"]) {
    expect(roundTrip({ text, again: [text] })).toStrictEqual({ text, again: [text] });
  }
});

test("of objects with the same keys each arrives with its own values, the thousandth as the first", () => {
  for (let i = 0; i < 1000; i++) {
    const order = { id: i, class: `c${i}`, lines: [{ sku: "a", count: -i }], paid: i % 2 === 0, total: i / 3 };
    expect(roundTrip(order)).toStrictEqual(order);
  }
});

test("objects with other keys each time arrive too, and those met before still do", () => {
  for (let i = 0; i < 5000; i++) {
    expect(roundTrip({ [`key${i}`]: i, again: { id: i } })).toStrictEqual({ [`key${i}`]: i, again: { id: i } });
  }
});

test("objects whose keys have the same lengths and ends are told apart", () => {
  for (let i = 0; i < OFTEN; i++) {
    expect(roundTrip([{ abcd: 1 }, { acbd: 2 }, { abcd: 3, x: 4 }])).toStrictEqual([
      { abcd: 1 },
      { acbd: 2 },
      { abcd: 3, x: 4 },
    ]);
  }
});

test("what an application adds to Object.prototype is no part of an object that lacks it", () => {
  const whole = { id: 1, name: "a", score: 2 };
  for (let i = 0; i < OFTEN; i++) expect(roundTrip(whole)).toStrictEqual(whole);
  const prototype = Object.prototype as { score?: number };
  prototype.score = 3;
  try {
    for (const value of [{ id: 1, name: "a" }, whole, { id: 1, name: "a", score: undefined }]) {
      expect(Object.entries(roundTrip(value) as object)).toStrictEqual(Object.entries(value));
    }
  } finally {
    delete prototype.score;
  }
});

test("objects of few shapes arrive as they were sent, in any order, and each getter runs once", () => {
  let reads = 0;
  const makers: readonly ((n: number) => object)[] = [
    (n) => ({ a: n, b: "x" }),
    (n) => ({ b: "x", a: n }),
    (n) => ({ a: n, b: "x", c: true }),
    (n) => ({ a: { a: n, b: "y" } }),
    (n) => Object.freeze({ a: n, b: undefined }),
    (n) => new Proxy({ a: n, b: "x" }, {}),
    (n) => Object.defineProperty({ a: n, b: 1, c: 2 }, "b", { enumerable: false }),
    (n) => Object.assign({ a: n, b: "x", c: 1 }, { [Symbol("s")]: 1 }),
    (n) => {
      const object: { a?: number; b: string; c: number } = { a: n, b: "x", c: -0 };
      delete object.a;
      return object;
    },
    (n) => ({
      a: n,
      get b() {
        return ++reads;
      },
    }),
    () => ({}),
  ];
  for (let i = 0; i < OFTEN; i++) for (const maker of makers) roundTrip(maker(i));
  fc.assert(
    fc.property(fc.array(fc.nat({ max: makers.length - 1 }), { maxLength: 30 }), (chosen) => {
      reads = 0;
      const sent = chosen.map((maker, n) => makers[maker](n));
      const arrived = roundTrip(sent) as object[];
      const getters = chosen.filter((maker) => maker === makers.length - 2).length;
      expect(reads).toBe(getters);
      reads = 0;
      expect(arrived.map((object) => Object.entries(object))).toStrictEqual(
        sent.map((object) => Object.entries(object)),
      );
    }),
    { numRuns: 500 },
  );
});

test("objects full of numbers and texts arrive, whatever of the thread's buffer they fill", () => {
  const full = Object.fromEntries(
    Array.from({ length: 15 }, (_, i) => [`key_of_15_chars_${i}`.slice(-15), i % 3 === 0 ? i / 7 : "t".repeat(26 + i)]),
  );
  for (let i = 0; i < OFTEN; i++) expect(roundTrip(full)).toStrictEqual(full);
  const bytes = codec.encodeArgs([full]).length;
  const atMost = Math.floor(BUFFER_BYTES / bytes);
  for (const count of [atMost - 2, atMost - 1, atMost]) {
    const objects = Array.from({ length: count }, () => full);
    for (let more = 0; more < bytes; more += 5) {
      const value = ["x".repeat(more), objects, 1];
      expect(roundTrip(value)).toStrictEqual(value);
    }
  }
});

test("keys that would be code are keys", () => {
  const keys = [
    "a: 1 }), globalThis.polluted = 1, ({ b",
    "`${x}`",
    "constructor",
    "__proto__ ",
    "get",
    "async",
    "\u2028",
  ];
  for (const key of keys) {
    const value = { [key]: 1, [`${key}2`]: { [key]: 2 } };
    for (let i = 0; i < OFTEN; i++) expect(roundTrip(value)).toStrictEqual(value);
  }
  expect(globalThis).not.toHaveProperty("polluted");
});

test("a key __proto__ that is smuggled in is refused, and changes no prototype", () => {
  for (let i = 0; i < OFTEN; i++) {
    const payload = keepPayload(codec.encodeArgs([{ __pr0to__: { polluted: 1 } }]));
    const zero = payload.bytes.indexOf("0".charCodeAt(0));
    payload.bytes[zero] = "o".charCodeAt(0);
    expect(() => codec.decodeArgs(payload)).toThrow(/^malformed message/);
  }
  expect({}).not.toHaveProperty("polluted");
});

test("a message that is cut short or runs on is refused", () => {
  const payload = keepPayload(codec.encodeArgs([{ id: 7, name: "hello world", list: [1, 2, "three", 4.5] }]));
  const { length } = payload;
  for (payload.length = 1; payload.length < length; payload.length++) {
    expect(() => codec.decodeArgs(payload), `of ${payload.length} bytes`).toThrow(/^malformed message/);
  }
  payload.length = length + 1;
  expect(() => codec.decodeArgs(payload)).toThrow(/^malformed message/);
});

test("where code must not be made of text, messages arrive all the same", async () => {
  const program = new URL("./programs/no-code-from-text.js", import.meta.url).pathname;
  const options = { NODE_OPTIONS: "--disallow-code-generation-from-strings" };
  const { output, errors } = await startProgram(program, [], options).ended;
  expect(errors).toBe("");
  expect(output).toBe("1000 arrived\n");
});

test("bytes that are sent alone are the receiver's own, however many", () => {
  for (const length of [0, 1, 64, 160, 161, 5000, 70_000, 300_000]) {
    const sent = new Uint8Array(length).fill(7);
    const arrived = roundTrip(sent) as Uint8Array;
    sent.fill(1);
    expect(Object.getPrototypeOf(arrived)).toBe(Uint8Array.prototype);
    expect(Buffer.compare(arrived, new Uint8Array(length).fill(7))).toBe(0);
  }
});
