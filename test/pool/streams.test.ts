import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PoolRef, pool } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type count from "./fixtures/streaming.js";
import type { failing } from "./fixtures/streaming.js";

async function streaming(maxThreads = 1, isolation: "thread" | "process" = "thread") {
  const system = await testSystem();
  const filename = new URL("./fixtures/streaming.js", import.meta.url);
  const ref: PoolRef<typeof count> = await system.startChild(pool({ id: "pool", filename, maxThreads, isolation }));
  return { system, ref, named: ref as unknown as PoolRef<typeof failing>, filename };
}

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

// Promise: pool-streams
test("a pool's task streams what its function yields, to main and to an actor, with the thread free after it", async () => {
  const { system, ref } = await streaming();
  expect(await read(ref.stream({ to: 5000 }))).toEqual({ items: range(5000), error: undefined });
  const reader = await system.startChild({ id: "reader", actor: fixture("streamer") });
  expect(await reader.call("sumOfPool", ref, 3000)).toBe(4_498_500);
  await eventually(() => system.stats(ref).running === 0);
  expect(system.stats(ref)).toMatchObject({ completed: 2, failed: 0 });
});

test("break and an aborted signal end a pool's generator, whose finally runs, and the thread goes on", async () => {
  const { system, ref } = await streaming();
  const notes = join(mkdtempSync(join(tmpdir(), "streams-")), "notes");
  writeFileSync(notes, "");
  for await (const item of ref.stream({ to: Infinity, notes })) if (item === 3) break;
  await eventually(() => readFileSync(notes, "utf8") === "ended\n");
  const controller = new AbortController();
  const stream = ref.stream({ to: Infinity, notes }, { signal: controller.signal });
  await stream.next();
  controller.abort();
  expect((await read(stream)).error).toMatchObject({ code: "ERR_CALL_ABORTED" });
  await eventually(() => readFileSync(notes, "utf8") === "ended\nended\n");
  await eventually(() => system.stats(ref).running === 0);
  expect(system.stats(ref).threadsLost).toBe(0);
});

test("a slow reader slows a pool's generator, and a task that waits for a thread is given up without one", async () => {
  const { ref } = await streaming();
  const open = ref.stream({ to: Infinity });
  expect(await open.next()).toEqual({ value: 0, done: false });
  const waiting = ref.stream({ to: 3 });
  const first = waiting.next();
  await waiting.return?.();
  expect(await first).toEqual({ value: undefined, done: true });
  await open.return?.();
  expect((await read(ref.stream({ to: 3 }))).items).toEqual([0, 1, 2]);
});

test.each(["thread", "process"] as const)(
  "a pool's stream ends with what its task throws, or with the exit of its %s, after the items before",
  async (isolation) => {
    const { named, ref } = await streaming(1, isolation);
    const broken = await read(named.stream(300, { name: "failing" }));
    expect(broken.items).toEqual(range(300));
    expect(broken.error).toMatchObject({ name: "RangeError", message: "the task broke" });
    // It exits in the turn in which it has yielded the last.
    for (const count of [0, 1, 3, 300]) {
      const dead = await read(named.stream(count, { name: "dying" }));
      expect(dead.items).toEqual(range(count));
      expect(dead.error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "exit_called", code: 7 } });
    }
    expect((await read(named.stream(3, { name: "plain" }))).error).toMatchObject({ code: "ERR_NO_STREAM" });
    await expect(ref.run({ to: 3 })).rejects.toMatchObject({ code: "ERR_IS_STREAM", method: "default" });
  },
);

test("a pool's generator that does not end a second after its reader has gone is ended with its thread", async () => {
  const { system, ref, named } = await streaming();
  const stream = named.stream(0, { name: "stuck" });
  await stream.next();
  await stream.return?.();
  await eventually(() => system.stats(ref).running === 0);
  expect((await read(named.stream(3, { name: "failing" }))).items).toEqual([0, 1, 2]);
});
