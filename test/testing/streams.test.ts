import { isActorError } from "@mini-otp/runtime";
import { probe, runInline, startTestSystem } from "@mini-otp/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import streamer from "../fixtures/streamer.actor.js";
import { eventually } from "../support/eventually.js";

async function read<T>(stream: AsyncIterable<T>): Promise<{ items: T[]; error: unknown }> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
  } catch (error) {
    return { items, error };
  }
  return { items, error: undefined };
}

const range = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

async function inline(options: { throws?: "reply"; restart?: "temporary" } = {}) {
  const actor = await runInline(streamer, undefined, options);
  onTestFinished(async () => void (await actor.stop()));
  return actor;
}

// Promise: inline-streams
test("an inline actor's stream gives its items in order, slows with its reader, and ends with break", async () => {
  const actor = await inline();
  expect((await read(actor.stream("count", 3000))).items).toEqual(range(3000));
  expect((await read(actor.stream("later", 30))).items).toEqual(range(30));
  const endless = actor.stream("count", Infinity);
  for (let i = 0; i < 50; i++) await endless.next();
  const { yielded } = await actor.call("seen");
  expect(yielded).toBeLessThan(3000 + 50 + 2048);
  expect(actor.stats().streams).toEqual({ open: 1, items: expect.any(Number) });
  await endless.return?.();
  await eventually(async () => (await actor.call("seen")).ended.length === 2);
});

test("an inline actor's stream fails as a threaded one: by what it throws, by a stop, by an item that cannot be carried", async () => {
  const actor = await inline({ throws: "reply" });
  expect(await read(actor.stream("failing", 20, "reply"))).toMatchObject({
    items: range(20),
    error: { code: "E_MORE" },
  });
  expect(await read(actor.stream("uncloneable", 3))).toMatchObject({ error: { code: "ERR_NOT_CLONEABLE" } });
  const untyped = actor as unknown as {
    call(method: string): Promise<unknown>;
    stream(method: string): AsyncIterable<unknown>;
  };
  await expect(untyped.call("count")).rejects.toMatchObject({ code: "ERR_IS_STREAM" });
  expect((await read(untyped.stream("plain"))).error).toMatchObject({ code: "ERR_NO_STREAM" });
  const stream = actor.stream("untilAborted");
  await stream.next();
  await actor.stop();
  expect((await read(stream)).error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "shutdown" } });
  expect(actor.state.ended).toContain("aborted=true");
});

test("a crash of an inline actor ends its streams with the reason", async () => {
  const actor = await inline();
  const { items, error } = await read(actor.stream("failing", 20, "throw"));
  expect(items).toEqual(range(20));
  expect(isActorError(error, "ERR_CALL_EXIT") && error.reason.kind).toBe("error");
});

test("an aborted signal ends an inline actor's stream", async () => {
  const actor = await inline();
  const controller = new AbortController();
  const stream = actor.with({ signal: controller.signal }).stream("slow", 100, 1);
  await stream.next();
  controller.abort();
  expect((await read(stream)).error).toMatchObject({ code: "ERR_CALL_ABORTED" });
  await eventually(async () => (await actor.call("seen")).ended.includes("slow"));
});

// Promise: probe-answers-streams
test("a probe answers a stream with a generator, inline and to the actors of a system", async () => {
  async function* count(to: number) {
    for (let i = 0; i < to; i++) yield i;
  }
  const alone = probe({ answers: { count } });
  const reader = await inline();
  expect(await reader.call("sumOf", alone, 1000)).toBe(499_500);
  expect(alone.received[0]).toMatchObject({ kind: "call", method: "count", args: [1000] });
  await using system = await startTestSystem();
  const threaded = await system.startChild<typeof streamer>({
    id: "reader",
    actor: new URL("../fixtures/streamer.actor.js", import.meta.url),
  });
  const mock = probe({ answers: { count } });
  expect(await threaded.call("sumOf", mock, 5000)).toBe(12_497_500);
  expect((await read(mock.stream("count", 300))).items).toEqual(range(300));
  expect((await read(mock.stream("other"))).error).toMatchObject({ code: "ERR_NO_STREAM" });
  for await (const item of mock.stream("count", Infinity)) if (item === 100) break;
});
