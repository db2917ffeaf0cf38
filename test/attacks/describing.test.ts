import { fileURLToPath } from "node:url";
import {
  describe,
  describeExit,
  type ExitReason,
  exitReasonOf,
  isExitReason,
  showValue,
} from "@mini-otp/worker-host/protocol/errors";
import type { Sender } from "@mini-otp/worker-host/protocol/refs";
import { Codec, decodeReason, encodeForeign } from "@mini-otp/worker-host/protocol/values";
import fc from "fast-check";
import { expect, describe as group, test } from "vitest";
import { ofPart } from "../support/part.js";
import { startProgram } from "../support/program.js";
import { made, SHAPE_NAMES } from "./fixtures/hostile.js";
import { recipes } from "./recipes.js";

const MAX_CHARS = 2100;
const everyShape = SHAPE_NAMES.map((shape) => [{ shape }] as [{ shape: typeof shape }]);
const codec = new Codec({ connect: () => ({ id: "" }) } as unknown as Sender);

function isText(text: unknown): boolean {
  return typeof text === "string" && text.length <= MAX_CHARS;
}

group("whatever a value does when it is looked at", () => {
  // Promise: exit-reason-checked-full
  test("it is described in a text that is bounded", () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const value = made(recipe);
        const texts = [showValue(value), describeExit(value as ExitReason), describe({ value }), describe([value])];
        return [...texts, describe(value)].every(isText);
      }),
      { examples: everyShape, numRuns: 500 },
    );
  });

  // Promise: exit-reason-checked-full
  test("it is an exit reason in full or none, and one that is read again is the same", () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const reason = exitReasonOf(made(recipe));
        expect(isExitReason(made(recipe))).toBe(reason !== undefined);
        if (reason === undefined) return;
        expect(isExitReason(reason)).toBe(true);
        expect(isText(describeExit(reason))).toBe(true);
      }),
      { examples: everyShape, numRuns: 500 },
    );
  });

  test("it is no promise, whatever methods it has", async () => {
    const given = { kind: "shutdown", detail: 1 };
    Reflect.set(given, "then", (resolve: (value: unknown) => void) => resolve(2));
    const reason = exitReasonOf(given);
    expect(await reason).toEqual({ kind: "shutdown", detail: 1 });
  });

  // Promise: exit-reason-checked-full
  test("it travels as an exit reason of its kind, or as the error of one", () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const value = exitReasonOf(made(recipe)) ?? made(recipe);
        const kind = exitReasonOf(value)?.kind ?? "error";
        const arrived = decodeReason(codec, encodeForeign(codec, value));
        expect(isExitReason(arrived)).toBe(true);
        expect(arrived.kind).toBe(kind);
      }),
      { examples: everyShape, numRuns: 500 },
    );
  });
});

test.each([
  [{ kind: "shutdown", detail: { kind: "linked" } }, "shutdown ({ kind: 'linked' })"],
  [
    { kind: "shutdown", detail: { kind: "linked", id: "root/a", reason: { kind: "killed" } } },
    "shutdown (linked (to root/a: killed))",
  ],
  [{ kind: "shutdown", detail: "deploy" }, "shutdown (deploy)"],
  [{ kind: "error", error: new TypeError("x is not a function") }, "error (TypeError: x is not a function)"],
  [{ kind: "error", error: Object.create(null) }, "error ([Object: null prototype] {})"],
  [{ kind: "error", error: Symbol("s") }, "error (Symbol(s))"],
  [{ kind: "error", error: 12n }, "error (12)"],
  [{ kind: "linked", id: "root/a" }, "{ kind: 'linked', id: 'root/a' }"],
  [null, "null"],
] as [ExitReason, string][])("%o is described as %s", (reason, text) => {
  expect(describeExit(reason)).toBe(text);
});

test.each([
  [{ kind: "linked", id: "root/a", reason: { kind: "linked", id: "root/b" } }],
  [{ kind: "heap_cap_exceeded", heapCapMb: "64", usedMb: 65 }],
  [{ kind: "reached_max_restart_intensity", id: 1, reason: { kind: "normal" } }],
  [{ kind: "toString" }],
  ["kill"],
  [undefined],
])("%o is no exit reason", (value) => {
  expect(isExitReason(value)).toBe(false);
});

// Promise: cannot-carried-logged-far
test("actors and main may stop, throw, reply, log and print what they like: the process and a bystander live", async () => {
  const seed = Date.now() % 2 ** 31;
  const program = fileURLToPath(new URL("./programs/describing.js", import.meta.url));
  const args = [seed, ...ofPart([15, 6], [15, 6], [150, 1])].map(String);
  const { output, errors, code } = await startProgram(program, args).ended;
  expect({ output, code }, `seed=${seed} ${errors}`).toEqual({ output: "lives\n", code: 0 });
}, 120_000);
