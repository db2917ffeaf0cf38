import { text } from "node:stream/consumers";
import type { TraceEvent } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import type Echo from "../fixtures/echo.actor.js";
import type Stubborn from "../fixtures/stubborn.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";

async function counterSystem() {
  const system = await testSystem();
  const counter = await system.startChild<typeof Counter>({ id: "counter", actor: fixture("counter") });
  return { system, counter };
}

async function take(trace: AsyncIterableIterator<TraceEvent>, count: number): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  for await (const event of trace) if (events.push(event) === count) break;
  return events;
}

// Promise: trace-tells-message-handled
test("a trace tells of each message: method, kind, when, how long, and how it ended", async () => {
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const trace = system.trace(echo);
  const before = performance.now();
  await echo.cast("echo", 1);
  await echo.call("echoLater", 2);
  await echo.call("refuse", "no", "E_NO", null).catch(() => {});
  await echo.send("hello");
  const events = await take(trace, 4);
  expect(events).toMatchObject([
    { id: "root/echo", incarnation: 1, method: "echo", kind: "cast", outcome: "ok", missed: 0 },
    { method: "echoLater", kind: "call", outcome: "ok" },
    { method: "refuse", kind: "call", outcome: "failed" },
    { method: "info", kind: "send", outcome: "ok" },
  ]);
  for (const { at, tookMs } of events) {
    // Two clocks of the same source, of which one is read in microseconds.
    expect(at).toBeGreaterThan(before - 1);
    expect(at + tookMs).toBeLessThan(performance.now() + 1);
    expect(tookMs).toBeGreaterThanOrEqual(0);
  }
});

test("a trace tells of the message that is sent right after it begins", async () => {
  const system = await testSystem();
  // Each with code that V8 has not optimised: there the time between two looks of the loop is longest.
  for (let number = 0; number < 60; number++) {
    const id = `echo ${number}`;
    const echo = await system.startChild<typeof Echo>({ id, actor: fixture("echo"), restart: "temporary" });
    const trace = system.trace(echo);
    await echo.call("echo", number);
    expect((await trace.next()).value).toMatchObject({ method: "echo", kind: "call", missed: 0 });
    await system.terminateChild(id);
  }
});

test("a trace tells of the methods it was asked for, and of a share of the messages", async () => {
  const { system, counter } = await counterSystem();
  const adds = system.trace(counter, { methods: ["add"] });
  const some = system.trace(counter, { sample: 0.25 });
  for (let i = 0; i < 400; i++) {
    await counter.cast("add", 1);
    await counter.call("get");
  }
  await counter.call("incarnation");
  expect((await take(adds, 400)).every(({ method, kind }) => method === "add" && kind === "cast")).toBe(true);
  // Of 801, the chance of fewer than 100 is less than one in 10^15.
  expect((await take(some, 100)).length).toBe(100);
});

// Promise: trace-tells-message-handled
test("a trace goes on over a restart, and the crash is in it", async () => {
  const { system, counter } = await counterSystem();
  const trace = system.trace(counter);
  await counter.cast("crash", "boom");
  await counter.call("get");
  expect(await take(trace, 2)).toMatchObject([
    { incarnation: 1, method: "crash", outcome: "error" },
    { incarnation: 2, method: "get", outcome: "ok" },
  ]);
});

// Promise: trace-tells-message-handled
test("an actor that is faster than its trace is taken counts what is missed, and nothing grows", async () => {
  const { system, counter } = await counterSystem();
  const trace = system.trace(counter, { methods: ["add"] });
  for (let i = 0; i < 5_000; i++) await counter.cast("add", 1);
  expect(await counter.call("get")).toBe(5_000);
  expect((await take(trace, 1024)).every(({ missed }) => missed === 0)).toBe(true);
  const next = system.trace(counter);
  for (let i = 0; i < 3_000; i++) await counter.cast("add", 1);
  await counter.call("get");
  for (let i = 0; i < 1024; i++) await next.next();
  await eventually(() => system.stats(counter).handling === null);
  const last = next.next();
  // Half the room is given back at a time, so this is the first that finds some.
  const calls = await Promise.all([counter.call("incarnation"), last]);
  expect(calls[1].value).toMatchObject({ method: "incarnation", missed: 3_001 - 1024 });
});

// Promise: trace-tells-message-handled
test("a trace ends when it is aborted, when it is left, and when the actor is gone", async () => {
  const { system, counter } = await counterSystem();
  const abort = new AbortController();
  const aborted = system.trace(counter, { signal: abort.signal });
  const left = system.trace(counter);
  const gone = system.trace(counter);
  const waiting = aborted.next();
  abort.abort();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await counter.call("get");
  await left.return?.();
  expect((await left.next()).done).toBe(true);
  await system.terminateChild("counter");
  await system.deleteChild("counter");
  expect((await gone.next()).value).toMatchObject({ method: "get" });
  expect((await gone.next()).done).toBe(true);
  expect(() => system.trace(counter)).toThrow(expect.objectContaining({ code: "ERR_NOPROC" }));
});

test("a trace with options that make no sense is refused", async () => {
  const { system, counter } = await counterSystem();
  for (const sample of [0, 1.5, Number.NaN]) expect(() => system.trace(counter, { sample })).toThrow(RangeError);
  expect(() => system.trace(counter, { methods: "add" as unknown as string[] })).toThrow(TypeError);
});

// Promise: heapsnapshot-cpuprofile-look-into
test("a heap snapshot shows the actor's heap, while it works on", async () => {
  const { system, counter } = await counterSystem();
  const snapshot = JSON.parse(await text(await system.heapSnapshot(counter)));
  expect(snapshot.snapshot.node_count).toBeGreaterThan(1000);
  expect(snapshot.strings).toContain("codeChange");
  expect(await counter.call("add", 1)).toBe(1);
});

// Promise: heapsnapshot-cpuprofile-look-into
test("a CPU profile shows where the time goes, in an actor that hangs too", async () => {
  const system = await testSystem();
  const spec = { id: "hanging", actor: fixture("stubborn"), handlerTimeoutMs: Infinity, args: {} } as const;
  const hanging = await system.startChild<typeof Stubborn>(spec);
  await hanging.cast("work", 3_000);
  const { nodes, samples } = await system.cpuProfile(hanging, 300);
  expect(samples?.length).toBeGreaterThan(10);
  expect(nodes.map(({ callFrame }) => callFrame.functionName)).toContain("work");
  await expect(system.cpuProfile(hanging, 0)).rejects.toThrow(RangeError);
});

test("of one actor one profile is taken at a time, and the next when it is done", async () => {
  const { system, counter } = await counterSystem();
  const [first, second] = await Promise.allSettled([system.cpuProfile(counter, 50), system.cpuProfile(counter, 5)]);
  expect(first).toMatchObject({ status: "fulfilled", value: { nodes: expect.any(Array) } });
  expect(second).toMatchObject({ status: "rejected", reason: { code: "ERR_RUNNING" } });
  expect((await system.cpuProfile(counter, 5)).nodes.length).toBeGreaterThan(0);
});

test("profiling an actor that is gone is ERR_NOPROC, and one that ends meanwhile is ERR_CALL_EXIT", async () => {
  const { system, counter } = await counterSystem();
  const profile = system.cpuProfile(counter, 60_000).catch((e: unknown) => e);
  system.exit(counter, "kill");
  expect(await profile).toMatchObject({ code: "ERR_CALL_EXIT" });
  await system.terminateChild("counter");
  await expect(system.cpuProfile(counter, 10)).rejects.toMatchObject({ code: "ERR_NOPROC" });
  await expect(system.heapSnapshot(counter)).rejects.toMatchObject({ code: "ERR_NOPROC" });
});
