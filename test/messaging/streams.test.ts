import { type ActorRef, isActorError, isReplyError, router } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Streamer from "../fixtures/streamer.actor.js";
import { eventually } from "../support/eventually.js";
import { ofPart } from "../support/part.js";
import { fixture, testSystem } from "../support/system.js";

type Isolation = "thread" | "process";

async function streamerIn(isolation: Isolation, options: { throws?: "crash" | "reply"; heapCapMb?: number } = {}) {
  const system = await testSystem({ intensity: 100 });
  const actor = await system.startChild<typeof Streamer>({
    id: "streamer",
    actor: fixture("streamer"),
    isolation,
    ...options,
  });
  return { system, actor };
}

/** The items, and the error that the stream has ended with. */
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

describe.each(ofPart<Isolation[]>(["thread"], ["thread"], ["thread", "process"]))("in a %s", (isolation) => {
  const streamer = (options: Parameters<typeof streamerIn>[1] = {}) => streamerIn(isolation, options);

  // Promise: stream-items-in-order
  test("a stream gives every item that the handler's generator yields, in order, and ends with it", async () => {
    const { actor } = await streamer();
    expect(await read(actor.stream("count", 5000))).toEqual({ items: range(5000), error: undefined });
    expect((await actor.call("seen")).ended).toEqual(["count"]);
  });

  test("a handler may be a plain generator, return one later, defer it, or return a ReadableStream", async () => {
    const { actor } = await streamer();
    expect((await read(actor.stream("sync", 300))).items).toEqual(range(300));
    expect((await read(actor.stream("later", 300))).items).toEqual(range(300));
    expect((await read(actor.stream("deferred", 300))).items).toEqual(range(300));
    const chunks = (await read(actor.stream("returned", "bytes"))).items;
    expect(Buffer.concat(chunks).toString()).toBe("bytes");
  });

  test("the items of a generator that waits arrive as they are yielded", async () => {
    const { actor } = await streamer();
    const stream = actor.stream("untilAborted");
    expect(await stream.next()).toEqual({ value: "first", done: false });
    await stream.return?.();
  });

  // Promise: stream-slow-reader
  test("a slow reader slows the producer: the generator is at most a window ahead", async () => {
    const { actor } = await streamer();
    const stream = actor.stream("count", Infinity);
    for (let i = 0; i < 100; i++) expect(await stream.next()).toEqual({ value: i, done: false });
    const seen = async () => (await actor.call("seen")).yielded;
    // What the reads have allowed is yielded first. A process is asked item by item, one at least between two calls.
    let yielded = await seen();
    for (let before = -1; before !== yielded && yielded < 100 + 2048; yielded = await seen()) before = yielded;
    expect(yielded).toBeLessThan(100 + 2048);
    // Nothing is read meanwhile, so nothing is yielded.
    expect(await seen()).toBe(yielded);
  });

  // Promise: stream-slow-reader
  test("large items count by their bytes: a reader that does not read holds less than a megabyte of them", async () => {
    const { actor } = await streamer();
    const bytes = 100_000;
    const stream = actor.stream("blocks", 200, bytes);
    expect((await stream.next()).value).toHaveLength(bytes);
    await actor.call("seen");
    expect(actor.stats().streams.items).toBeLessThan(8);
    let read = 1;
    for await (const block of stream) {
      expect(block[0]).toBe(read % 256);
      read++;
    }
    expect(read).toBe(200);
  });

  // Promise: stream-break-runs-finally
  test("break ends the generator, whose finally runs", async () => {
    const { actor } = await streamer();
    for await (const item of actor.stream("count", Infinity)) if (item === 10) break;
    await eventually(async () => (await actor.call("seen")).ended.includes("count"));
    expect(actor.stats().streams.open).toBe(0);
  });

  // Promise: stream-break-runs-finally
  test("return() ends the generator, and next() is done from then on", async () => {
    const { actor } = await streamer();
    const stream = actor.stream("slow", 1000, 1);
    await stream.next();
    expect(await stream.return?.()).toEqual({ value: undefined, done: true });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    await eventually(async () => (await actor.call("seen")).ended.includes("slow"));
  });

  // Promise: stream-break-runs-finally
  test("an aborted signal rejects next() with ERR_CALL_ABORTED, and ends the generator through its own signal", async () => {
    const { actor } = await streamer();
    const controller = new AbortController();
    const stream = actor.with({ signal: controller.signal }).stream("untilAborted");
    await stream.next();
    const second = stream.next();
    controller.abort(new Error("enough"));
    await expect(second).rejects.toMatchObject({ code: "ERR_CALL_ABORTED", cause: { message: "enough" } });
    await eventually(async () => (await actor.call("seen")).ended.includes("aborted=true"));
  });

  test("a signal that is aborted before the first next() opens no stream", async () => {
    const { actor } = await streamer();
    const { error } = await read(actor.with({ signal: AbortSignal.abort() }).stream("count", 3));
    expect(isActorError(error, "ERR_CALL_ABORTED")).toBe(true);
    expect((await actor.call("seen")).yielded).toBe(0);
  });

  test("a stream that is given up before its message is handled never begins", async () => {
    const { actor } = await streamer();
    const busy = actor.call("busy", 50);
    const stream = actor.stream("count", 10);
    const first = stream.next();
    await stream.return?.();
    expect(await first).toEqual({ value: undefined, done: true });
    await busy;
    expect((await actor.call("seen")).yielded).toBe(0);
  });

  test("a stream that nothing reads is never opened", async () => {
    const { actor } = await streamer();
    actor.stream("count", 10);
    expect((await actor.call("seen")).yielded).toBe(0);
    expect(actor.stats().mailbox.enqueued).toBe(1);
  });

  // Promise: stream-error-in-the-middle
  test("a ReplyError in the middle ends the stream after the items before it, and the actor lives", async () => {
    const { actor } = await streamer();
    const { items, error } = await read(actor.stream("failing", 500, "reply"));
    expect(items).toEqual(range(500));
    expect(isReplyError(error)).toBe(true);
    expect(error).toMatchObject({ message: "no more", code: "E_MORE", data: { after: 500 } });
    expect(actor.stats().restarts).toBe(0);
  });

  // Promise: stream-error-in-the-middle
  test("a generator that throws crashes the actor: its reader gets the items before it, and the exit with its reason", async () => {
    const { actor } = await streamer();
    const { items, error } = await read(actor.stream("failing", 500, "throw"));
    expect(items).toEqual(range(500));
    expect(isActorError(error, "ERR_CALL_EXIT") && error.reason).toMatchObject({
      kind: "error",
      error: { name: "RangeError", message: "the generator broke" },
    });
  });

  test("with throws: reply a generator that throws fails its stream only", async () => {
    const { actor } = await streamer({ throws: "reply" });
    const other = actor.stream("slow", 3, 1);
    expect(await other.next()).toEqual({ value: 0, done: false });
    const { items, error } = await read(actor.stream("failing", 20, "throw"));
    expect(items).toEqual(range(20));
    expect(error).toBeInstanceOf(RangeError);
    expect((await read(other)).items).toEqual([1, 2]);
    expect(actor.stats().restarts).toBe(0);
  });

  // Promise: stream-error-in-the-middle
  test("an item that no message can carry ends the stream with ERR_NOT_CLONEABLE and its path, after the items before it", async () => {
    const { actor } = await streamer();
    const { items, error } = await read(actor.stream("uncloneable", 40));
    expect(items).toHaveLength(40);
    expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "item.deep.fn" });
    await eventually(async () => (await actor.call("seen")).ended.includes("uncloneable"));
  });

  test("a call of a handler that answers with a stream fails with ERR_IS_STREAM, a stream of another with ERR_NO_STREAM", async () => {
    const { actor } = await streamer();
    const untyped = actor as unknown as { call(method: string, ...args: unknown[]): Promise<unknown> };
    for (const [method, ...args] of [
      ["count", 3],
      ["sync", 3],
      ["later", 3],
      ["returned", "x"],
    ] as const) {
      await expect(untyped.call(method, ...args)).rejects.toMatchObject({ code: "ERR_IS_STREAM", method });
    }
    const { stream } = {
      stream: (method: string) => (actor as unknown as { stream(m: string): AsyncIterable<unknown> }).stream(method),
    };
    expect((await read(stream("plain"))).error).toMatchObject({ code: "ERR_NO_STREAM", method: "plain" });
    expect((await read(stream("nothing"))).error).toMatchObject({ code: "ERR_UNKNOWN_METHOD", method: "nothing" });
  });

  test("a cast to a handler that answers with a stream is a dead letter", async () => {
    const { system, actor } = await streamer();
    const letters: unknown[] = [];
    system.on("dead_letter", (letter) => letters.push(letter));
    await (actor as ActorRef).cast("count", 3);
    await eventually(() => letters.length > 0);
    expect(letters[0]).toMatchObject({ id: "root/streamer", method: "count", why: "unhandled" });
  });

  // Promise: stream-ends-with-the-actor
  test("the death of its producer ends a stream with ERR_CALL_EXIT and the reason", async () => {
    const { system, actor } = await streamer();
    const kill = actor.stream("slow", 10_000, 1);
    await kill.next();
    system.exit(actor, "kill");
    expect((await read(kill)).error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "killed" } });
    await eventually(async () => (await actor.call("plain", 1)) === 1);
    const exit = actor.stream("slow", 10_000, 1);
    await exit.next();
    await actor.call("exit", 3).catch(() => {});
    expect((await read(exit)).error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "exit_called", code: 3 } });
  });

  // Promise: stream-ends-with-the-actor
  test("a stop of its producer ends a stream with the reason, after the generator's finally", async () => {
    const { system, actor } = await streamer();
    const waiting = actor.stream("untilAborted");
    const counting = actor.stream("count", Infinity);
    expect(await waiting.next()).toEqual({ value: "first", done: false });
    await counting.next();
    await system.terminateChild("streamer");
    for (const stream of [waiting, counting]) {
      expect((await read(stream)).error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "shutdown" } });
    }
  });

  test("a generator that waits for ever does not hold up the stop of its actor", async () => {
    const { system, actor } = await streamer();
    const stream = actor.stream("stuck");
    await stream.next();
    const since = performance.now();
    await system.terminateChild("streamer");
    expect(performance.now() - since).toBeLessThan(4000);
    expect((await read(stream)).error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "shutdown" } });
  });

  // Promise: stream-ends-with-the-actor
  test("an upgrade of its producer ends a stream with the reason, and the next version keeps what its finally has changed", async () => {
    const { system, actor } = await streamer();
    const stream = actor.stream("count", Infinity);
    await stream.next();
    await system.upgrade(actor, fixture("streamer"));
    expect((await read(stream)).error).toMatchObject({
      code: "ERR_CALL_EXIT",
      reason: { kind: "shutdown", detail: "upgraded" },
    });
    expect((await actor.call("seen")).ended).toEqual(["count"]);
    expect((await read(actor.stream("count", 3))).items).toEqual([0, 1, 2]);
  });

  test("a stream whose message waits for a restarting actor is opened by the next incarnation", async () => {
    const { actor } = await streamer();
    const crash = actor.call("crash").catch(() => {});
    const items = read(actor.stream("count", 100));
    await crash;
    expect(await items).toEqual({ items: range(100), error: undefined });
  });

  test("an actor that is too busy to begin fails a stream with ERR_CALL_TIMEOUT, and never begins it", async () => {
    const { actor } = await streamer();
    const busy = actor.call("busy", 100);
    const { error } = await read(actor.with({ timeoutMs: 20 }).stream("count", 3));
    expect(error).toMatchObject({ code: "ERR_CALL_TIMEOUT", timeoutMs: 20 });
    await busy;
    expect((await actor.call("seen")).yielded).toBe(0);
  });

  test("once begun, a stream has no timeout", async () => {
    const { actor } = await streamer();
    expect((await read(actor.with({ timeoutMs: 60 }).stream("slow", 4, 40))).items).toEqual(range(4));
  });

  // Promise: stream-beside-messages
  test("an actor whose generator yields without end and without waiting goes on with other messages", async () => {
    const { actor } = await streamer();
    let reads = 0;
    const stream = actor.stream("count", Infinity);
    const reading = (async () => {
      for await (const _ of stream) reads++;
    })();
    for (let i = 0; i < 200; i++) expect(await actor.call("plain", i)).toBe(i);
    expect(reads).toBeGreaterThan(0);
    await stream.return?.();
    await reading;
  });

  test("a suspended actor yields nothing, and goes on when it is resumed", async () => {
    const { system, actor } = await streamer();
    const stream = actor.stream("count", 5000);
    await stream.next();
    await system.suspend(actor);
    const before = actor.stats().streams.items;
    const reading = read(stream);
    await system.getState(actor);
    // One that its process was asked for before may still come.
    expect(actor.stats().streams.items).toBeLessThanOrEqual(isolation === "process" ? before + 1 : before);
    await system.resume(actor);
    expect((await reading).items).toHaveLength(4999);
  });

  // Promise: stream-reader-ends
  test("a reader that is killed frees the producer, whose generator's finally runs", async () => {
    const { system, actor } = await streamer();
    const reader = await system.startChild<typeof Streamer>({ id: "reader", actor: fixture("streamer") });
    await reader.call("hold", actor, 3);
    expect(actor.stats().streams.open).toBe(1);
    system.exit(reader, "kill");
    await eventually(async () => (await actor.call("seen")).ended.includes("count"));
    expect(actor.stats().streams.open).toBe(0);
  });

  // Promise: stream-reader-ends
  test("a reader that is upgraded ends what its former thread read", async () => {
    const { system, actor } = await streamer();
    const reader = await system.startChild<typeof Streamer>({ id: "reader", actor: fixture("streamer") });
    await reader.call("hold", actor, 3);
    await system.upgrade(reader, fixture("streamer"));
    await eventually(async () => (await actor.call("seen")).ended.includes("count"));
  });

  test("an actor reads another's stream, and passes on one that it reads itself", async () => {
    const { system, actor } = await streamer();
    const started = await system.startChild<typeof Streamer>({ id: "reader", actor: fixture("streamer") });
    // Of a process each item is a message of its own.
    const reader = started.with({ timeoutMs: 50_000 });
    expect(await reader.call("sumOf", actor, 20_000)).toBe((20_000 * 19_999) / 2);
    expect((await read(reader.stream("relay", actor, 3000))).items).toEqual(range(3000));
  });

  test("thousands of streams are open at once, each with its own place", async () => {
    const { actor } = await streamer({ heapCapMb: 512 });
    const numbers = range(isolation === "process" ? 500 : 10_000);
    const streams = numbers.map((from) => actor.with({ timeoutMs: Infinity }).stream("count", from + 100, from));
    const firsts = await Promise.all(streams.map((stream) => stream.next()));
    expect(firsts.map(({ value }) => value)).toEqual(numbers);
    expect(actor.stats().streams.open).toBeGreaterThan(0.9 * numbers.length);
    const seconds = await Promise.all(streams.map((stream) => stream.next()));
    expect(seconds.map(({ value }) => value)).toEqual(numbers.map((from) => from + 1));
    await Promise.all(streams.map((stream) => stream.return?.()));
    await eventually(() => actor.stats().streams.open === 0);
  });

  test("a stream goes to ReadableStream.from, and its cancel ends the generator", async () => {
    const { actor } = await streamer();
    const from = (ReadableStream as unknown as { from(items: AsyncIterable<number>): ReadableStream<number> }).from;
    const reader = from(actor.stream("count", Infinity)).getReader();
    expect(await reader.read()).toEqual({ value: 0, done: false });
    await reader.cancel();
    await eventually(async () => (await actor.call("seen")).ended.includes("count"));
  });

  test("an actor that is gone for good refuses a stream with ERR_NOPROC, and none reads itself", async () => {
    const { system, actor } = await streamer({ throws: "reply" });
    const own = (await read(actor.stream("relay", actor, 3))).error;
    expect(own).toMatchObject({ code: "ERR_CALLING_SELF", method: "count" });
    await system.terminateChild("streamer");
    await system.deleteChild("streamer");
    expect((await read(actor.stream("count", 3))).error).toMatchObject({ code: "ERR_NOPROC" });
  });

  // Promise: router-streams
  test("a router's stream comes from one member, of the key or of the next in turn, and another takes it that is there", async () => {
    const system = await testSystem({ intensity: 100 });
    const spec = { actor: fixture("streamer"), size: 3 };
    const turns = await system.startChild(router<typeof Streamer>({ id: "turns", ...spec, route: "round_robin" }));
    const sums = await Promise.all(range(6).map(() => read(turns.stream("count", 1000))));
    for (const { items } of sums) expect(items).toEqual(range(1000));
    expect(turns.stats().members.map((member) => member?.streams.items)).toEqual([2000, 2000, 2000]);
    const keyed = await system.startChild(router<typeof Streamer>({ id: "keyed", ...spec, route: "consistent_hash" }));
    expect((await read(keyed.forKey("k").stream("count", 10))).items).toEqual(range(10));
    expect((await read(keyed.stream("count", 10))).error).toMatchObject({ code: "ERR_NO_KEY" });
    await system.terminateChild("turns");
    await system.deleteChild("turns");
    expect((await read(turns.stream("count", 10))).error).toMatchObject({ code: "ERR_NOPROC" });
  });

  test.each(["dying", "dyingAtOnce"] as const)(
    "what a generator has yielded before its actor exits in the same turn is read: %s",
    async (method) => {
      const { actor } = await streamer();
      for (const count of [0, 1, 3, 300]) {
        const { items, error } = await read(actor.stream(method, count));
        expect(items).toEqual(range(count));
        expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "exit_called", code: 7 } });
      }
    },
  );
});
