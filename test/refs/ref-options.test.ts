import { router } from "@mini-otp/runtime";
import { expect, onTestFinished, test } from "vitest";
import type Careless from "../fixtures/careless.actor.js";
import { fixture, testSystem } from "../support/system.js";

async function careless() {
  const system = await testSystem({ intensity: 100 });
  const start = (id: string) => system.startChild<typeof Careless>({ id, actor: fixture("careless") });
  return { system, start, actor: await start("careless") };
}

test.each<[string, unknown, string]>([
  ["timeoutMs NaN", { timeoutMs: NaN }, "timeoutMs=NaN"],
  ["timeoutMs -1", { timeoutMs: -1 }, "timeoutMs=-1"],
  ["timeoutMs as text", { timeoutMs: "100" }, 'timeoutMs="100"'],
  ["no AbortSignal", { signal: {} }, "signal="],
  ["no transfer list", { transfer: new ArrayBuffer(8) }, "transfer="],
  ["an option that does not exist", { timeout: 100 }, "no option timeout; there are: timeoutMs, signal, transfer"],
])("with() refuses %s, and names it", async (_what, options, words) => {
  const { system, actor } = await careless();
  expect(() => actor.with(options as never)).toThrow(TypeError);
  expect(() => actor.with(options as never)).toThrow(words);
  const routed = await system.startChild(
    router<typeof Careless>({ id: "router", size: 1, route: "round_robin", actor: fixture("careless") }),
  );
  expect(() => routed.with(options as never)).toThrow(words);
});

test("with() takes what is undefined as not given, and Infinity as no timeout", async () => {
  const { actor } = await careless();
  const patient = actor.with({ timeoutMs: Infinity, signal: undefined as never });
  expect(await patient.call("echo", 1)).toBe(1);
});

// Promise: timeout-0-sends-call
test("a timeout longer than a timer of Node's can be is a long timeout", async () => {
  const { actor } = await careless();
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  const month = actor.with({ timeoutMs: 30 * 24 * 3600 * 1000 });
  expect(await month.call("echo", "soon")).toBe("soon");
  // Warnings are told in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).not.toContain("TimeoutOverflowWarning");
});

// Promise: signal-may-many-calls
test("one signal may be that of many calls at a time", async () => {
  const { actor } = await careless();
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  const abort = new AbortController();
  const abortable = actor.with({ signal: abort.signal });
  const calls = Array.from({ length: 100 }, (_, i) => abortable.call("echo", i));
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  const waiting = Array.from({ length: 100 }, () => abortable.call("never").catch(({ code }) => code));
  abort.abort();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["ERR_CALL_ABORTED"]));
  expect(warnings).toEqual([]);
});

test.each<[string, () => unknown, string]>([
  ["a view instead of its buffer", () => new Uint8Array(8), "transfer[0] is a Uint8Array: transfer its buffer"],
  ["what is no object", () => "text", "transfer[0] is no object"],
  [
    "a buffer that has changed hands",
    () => {
      const buffer = new ArrayBuffer(8);
      structuredClone(buffer, { transfer: [buffer] });
      return buffer;
    },
    "transfer[0] has changed hands already",
  ],
  // Promise: cannot-transferred-refused-anything
])("transferring %s is refused, and the receiver goes on", async (_what, create, words) => {
  const { actor } = await careless();
  const object = create();
  const moving = actor.with({ transfer: [object as never] });
  await expect(moving.call("echo", 1)).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "transfer[0]" });
  await expect(moving.cast("echo", 1)).rejects.toThrow(words);
  expect(() => moving.tryCast("echo", 1)).toThrow(words);
  expect(await actor.call("echo", 2)).toBe(2);
});

// Promise: cannot-transferred-refused-anything
test("a transfer list that only the platform finds fault with fails its call, and the receiver goes on", async () => {
  const { actor } = await careless();
  // No message and no transfer list may hold it, but nothing about it says so.
  const moving = actor.with({ transfer: [new WeakMap() as never] });
  await expect(moving.call("echo", 1)).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "transfer" });
  await expect(moving.cast("echo", 1)).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "transfer" });
  expect(await actor.call("echo", 2)).toBe(2);
});

test("a buffer that an actor transfers twice is refused the second time, and both actors go on", async () => {
  const { actor, start } = await careless();
  const other = await start("other");
  expect(await actor.call("transferTwice", other)).toBe("ERR_NOT_CLONEABLE");
  expect(await actor.call("transferView", other)).toBe("ERR_NOT_CLONEABLE");
  expect([await actor.call("echo", 1), await other.call("echo", 2)]).toEqual([1, 2]);
});
