import type { TraceEvent } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { lightMembers } from "./members.js";

async function members() {
  const light = await lightMembers({ threads: { count: 1 } });
  const traced = async (trace: AsyncIterable<TraceEvent>): Promise<string[]> => {
    const seen: string[] = [];
    for await (const { id, method, kind, outcome } of trace) seen.push(`${id.slice(-1)} ${method} ${kind} ${outcome}`);
    return seen;
  };
  return { ...light, traced };
}

test("a trace of a light actor tells of each message that it handles, in order, and of no other's", async () => {
  const { system, traced, start } = await members();
  const [a, b] = [await start("a"), await start("b")];
  await a.call("echo", "before");
  const seen = traced(system.trace(a));
  await a.call("echo", 1);
  await b.call("echo", 2);
  await b.call("castTo", a, 2);
  await a.send("sent");
  await a.call("next");
  await a.call("after", 1);
  await a.call("refuse").catch(() => {});
  await a.call("crash", "the end").catch(() => {});
  // Ends with the life that it watches.
  expect(await seen).toEqual([
    "a echo call ok",
    "a note cast ok",
    "a note cast ok",
    "a info send ok",
    "a next call ok",
    "a note own ok",
    "a after call ok",
    "a refuse call failed",
    "a crash call error",
  ]);
});

test("each trace of a light actor has methods, a reader and an end of its own", async () => {
  const { system, traced, start } = await members();
  const a = await start("a");
  const abort = new AbortController();
  const echoes = traced(system.trace(a, { methods: ["echo"], signal: abort.signal }));
  // Nothing reads this one: what its buffer has no room for is not reported.
  const unread = system.trace(a);
  for (let i = 0; i < 5_000; i++) await a.cast("note", i);
  await a.call("echo", 1);
  await system.getState(a);
  abort.abort();
  expect(await echoes).toEqual(["a echo call ok"]);
  expect((await unread.next()).value).toMatchObject({ id: a.id, method: "note", missed: 0, incarnation: 1 });
  await unread.return?.();
  expect(await a.call("echo", 2)).toBe(2);
});

test("a trace of a light actor that has ended is ERR_NOPROC, and ends when its partition does", async () => {
  const { system, traced, start } = await members();
  const [a, b] = [await start("a"), await start("b")];
  await a.call("stop");
  await new Promise((resolve) => system.monitor(a, resolve));
  expect(() => system.trace(a)).toThrow(expect.objectContaining({ code: "ERR_NOPROC", id: a.id }));
  const seen = traced(system.trace(b));
  await b.call("echo", 1);
  await b.cast("exit", 3);
  expect((await seen)[0]).toBe("b echo call ok");
});
