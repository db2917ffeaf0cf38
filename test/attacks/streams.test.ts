import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type Streamer from "../fixtures/streamer.actor.js";
import { eventually } from "../support/eventually.js";
import { ofPart } from "../support/part.js";
import { fixture, testSystem } from "../support/system.js";

async function streamer(options: object = {}) {
  const system = await testSystem({ intensity: 100 });
  const actor = await system.startChild<typeof Streamer>({ id: "streamer", actor: fixture("streamer"), ...options });
  return { system, actor };
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

const MIB = 1024 * 1024;

const ITEMS = ofPart(2_000_000, 2_000_000, 10_000_000);

test("memory stays flat for millions of items, in the reader and in the producer", { timeout: 120_000 }, async () => {
  const { actor } = await streamer({ heapCapMb: 64 });
  let sum = 0;
  let most = 0;
  let first = 0;
  for await (const item of actor.stream("count", ITEMS)) {
    sum += item;
    if (item % 500_000 !== 0) continue;
    const { heapUsed } = process.memoryUsage();
    if (item === 500_000) first = heapUsed;
    most = Math.max(most, heapUsed);
  }
  expect(sum).toBe((ITEMS * (ITEMS - 1)) / 2);
  expect((most - first) / MIB).toBeLessThan(64);
  expect(actor.stats()).toMatchObject({ restarts: 0, streams: { open: 0, items: ITEMS } });
});

test("items of all sizes keep their order, by the ring and by way of main, with what they share and refer to", async () => {
  const { actor } = await streamer();
  const { items, error } = await read(actor.stream("mixed", 1000));
  expect(error).toBeUndefined();
  expect(items.map(({ i }) => i)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  const shared = items[13] as { shared: Int32Array };
  expect(shared.shared.buffer).toBeInstanceOf(SharedArrayBuffer);
  const { self } = items[17] as { self: typeof actor };
  expect(await self.call("plain", 1)).toBe(1);
});

test("a reader whose thread is blocked while a hundred streams send loses nothing, and none out of order", async () => {
  const { system, actor } = await streamer();
  const reader = await system.startChild<typeof Streamer>({ id: "reader", actor: fixture("streamer"), heapCapMb: 256 });
  expect(await reader.with({ timeoutMs: 20_000 }).call("blockThenRead", actor, 100, 200, 500)).toBe(true);
});

test("a generator that never gives its thread back is unresponsive, and its reader hears of it", async () => {
  const { actor } = await streamer({ handlerTimeoutMs: 500 });
  const { items, error } = await read(actor.stream("hangs"));
  expect(items).toEqual(["first"]);
  expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "unresponsive", method: "hangs" } });
});

test("a generator that hoards memory ends at its actor's heap cap, and its reader hears of it", async () => {
  const { actor } = await streamer({ heapCapMb: 32 });
  const { error } = await read(actor.stream("hoards"));
  expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "heap_cap_exceeded" } });
});

test("a finally that never ends holds the stop up until the deadline, and the stream has the reason", async () => {
  const { system, actor } = await streamer({ shutdown: 500 });
  const stream = actor.stream("clings");
  expect((await stream.next()).value).toBe("first");
  await system.suspend(actor);
  await system.terminateChild("streamer");
  const { error } = await read(stream);
  expect(error).toMatchObject({ code: "ERR_CALL_EXIT" });
});

test("a stream that has begun does not begin again when its message is delivered a second time", async () => {
  const { actor } = await streamer({ maxDeliveries: 3 });
  const { items, error } = await read(actor.stream("fragile", 100));
  expect(items).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "error" } });
  await eventually(() => actor.stats().incarnation === 2 && actor.stats().state === "running");
  expect((await read(actor.stream("fragile", 100))).error).toBeUndefined();
  await eventually(() => actor.stats().streams.open === 0);
});

test("a reader that its program has lost is collected, and its generator ends", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const { actor } = await streamer();
  async function lose(): Promise<void> {
    await actor.stream("count", Infinity).next();
  }
  await lose();
  expect((await actor.call("seen")).ended).toEqual([]);
  await eventually(async () => {
    collect();
    return (await actor.call("seen")).ended.includes("count");
  });
});

test("a full mailbox fails a stream as a call, and one that is dropped for a newer message too", async () => {
  const full = { mailbox: { capacity: 1, overflow: "reject" as const } };
  const { actor } = await streamer(full);
  const busy = actor.call("busy", 200);
  const streams = Array.from({ length: 5 }, () => read(actor.stream("count", 3)));
  const codes = (await Promise.all(streams)).map(({ error }) => (error as { code?: string } | undefined)?.code);
  expect(codes.filter((code) => code === "ERR_MAILBOX_FULL").length).toBeGreaterThanOrEqual(3);
  await busy;
  const { actor: dropping } = await streamer({ mailbox: { capacity: 2, overflow: "drop_oldest" } });
  const held = dropping.call("busy", 500);
  // Otherwise the actor could take the streams one by one as they come, and this call be dropped instead.
  await eventually(() => dropping.stats().handling?.method === "busy");
  const dropped = Array.from({ length: 6 }, () => read(dropping.stream("count", 3)));
  const outcomes = (await Promise.all(dropped)).map(({ error }) => (error as { code?: string } | undefined)?.code);
  expect(outcomes.filter((code) => code === "ERR_MAILBOX_FULL").length).toBe(4);
  await held;
});
