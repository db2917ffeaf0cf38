import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import type { PublishedCall } from "@mini-otp/runtime";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import type Published from "./fixtures/published.actor.js";

const channel = tracingChannel<string, PublishedCall>("mini-otp:call");

async function published() {
  const system = await testSystem();
  const actor = new URL("./fixtures/published.actor.js", import.meta.url);
  const start = (id: string) => system.startChild<typeof Published>({ id, actor, restart: "temporary" });
  return { system, start, a: await start("a") };
}

function subscribed() {
  const events: [event: string, message: PublishedCall][] = [];
  const note = (event: string) => (message: PublishedCall) => void events.push([event, message]);
  const [start, end, error] = [note("start"), note("end"), note("error")];
  const subscribers = { start, end, error, asyncStart: note("asyncStart"), asyncEnd: note("asyncEnd") };
  channel.subscribe(subscribers);
  const stop = () => channel.unsubscribe(subscribers);
  onTestFinished(() => void stop());
  return { events, stop };
}

test("a call is published from its sending to its reply, with one message for all events", async () => {
  const { a } = await published();
  const { events } = subscribed();
  const reply = a.call("add", 1, 2);
  expect(events.map(([event]) => event)).toEqual(["start", "end"]);
  expect(await reply).toBe(3);
  expect(events.map(([event]) => event)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
  expect(new Set(events.map(([, message]) => message)).size).toBe(1);
  expect(events[0][1]).toEqual({ id: "root/a", method: "add", kind: "call", args: [1, 2], result: 3 });
});

test("a call that fails is published with its error: at once, by the handler, by the callee's end", async () => {
  const { system, a } = await published();
  const { events } = subscribed();
  const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error);
  const outcomes = Promise.all([outcome(a.call("fail")), outcome(a.call("add", (() => {}) as never, 1 as never))]);
  expect(await outcomes).toMatchObject([{ message: "no" }, { code: "ERR_NOT_CLONEABLE" }]);
  await system.terminateChild("a").catch(() => {});
  expect(await outcome(a.call("add", 1, 2))).toMatchObject({ code: "ERR_NOPROC" });
  const failed = events.filter(([event]) => event === "error").map(([, { method, error }]) => [method, error]);
  expect(failed).toMatchObject([
    ["add", { code: "ERR_NOT_CLONEABLE" }],
    ["fail", { message: "no" }],
    ["add", { code: "ERR_NOPROC" }],
  ]);
  for (const event of ["start", "end", "asyncStart", "asyncEnd"]) {
    expect(events.filter(([name]) => name === event)).toHaveLength(3);
  }
});

test("after the last subscriber has left nothing is published, and calls go on", async () => {
  const { a } = await published();
  const { events, stop } = subscribed();
  await a.call("add", 1, 2);
  const { length } = events;
  stop();
  expect(await a.call("add", 2, 2)).toBe(4);
  expect(events).toHaveLength(length);
});

test("a store that is bound to the start of calls is there while the call is sent", async () => {
  const { a } = await published();
  const storage = new AsyncLocalStorage<string>();
  channel.start.bindStore(storage, ({ method }) => method);
  onTestFinished(() => void channel.start.unbindStore(storage));
  const stores: unknown[] = [];
  const end = () => void stores.push(storage.getStore());
  channel.end.subscribe(end);
  onTestFinished(() => void channel.end.unsubscribe(end));
  expect(await a.call("add", 1, 2)).toBe(3);
  expect(stores).toEqual(["add"]);
});

test("a stream is one call, from its opening to its end", async () => {
  const { a } = await published();
  const { events } = subscribed();
  const items: number[] = [];
  for await (const item of a.stream("count")) items.push(item);
  expect(items).toEqual([1, 2]);
  expect(events.map(([event]) => event)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
  expect(events[0][1]).toMatchObject({ id: "root/a", method: "count", kind: "stream" });
});

test("an actor's handlers are published in its thread, whatever made them run", async () => {
  const { a } = await published();
  await a.call("subscribe");
  await a.call("add", 1, 2);
  await a.call("later", "x");
  await a.call("fail").catch(() => {});
  await a.call("failLater").catch(() => {});
  await a.cast("add", 3, 4);
  await a.send("hello");
  expect(await a.call("store")).toBe("in store");
  await a.call("timer");
  const seen: string[] = [];
  await eventually(async () => {
    seen.push(...(await a.call("seen")));
    return seen.some((line) => line.startsWith("end root/a 1 own"));
  });
  await a.call("unsubscribe");
  await a.call("add", 9, 9);
  expect((await a.call("seen")).filter((line) => line.includes("9,9"))).toEqual([]);
  expect(seen.map((line) => line.replace("root/a 1 ", ""))).toEqual([
    ...["start call add(1,2) undefined", "end call add(1,2) 3"],
    ...["start call later(x) undefined", "end call later(x) undefined"],
    ...["asyncStart call later(x) x", "asyncEnd call later(x) x"],
    ...["start call fail() undefined", "error call fail() no", "end call fail() no"],
    ...["start call failLater() undefined", "end call failLater() undefined"],
    ...["error", "asyncStart", "asyncEnd"].map((event) => `${event} call failLater() not now`),
    ...["start cast add(3,4) undefined", "end cast add(3,4) 7"],
    ...["start send info(hello) undefined", "end send info(hello) undefined"],
    ...["start call store() undefined", "end call store() undefined"],
    ...["asyncStart call store() in store", "asyncEnd call store() in store"],
    ...["start call timer() undefined", "end call timer() undefined"],
    ...["start own add(1,2) undefined", "end own add(1,2) 3"],
  ]);
});

test("an actor's own calls are published in its thread, callSync too", async () => {
  const { a, start } = await published();
  expect(await a.call("relay", await start("b"))).toEqual(["start root/b", "7", "start root/b", "11"]);
});
