import { type ActorSpec, pool, router } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { ofPart } from "../support/part.js";
import { testSystem } from "../support/system.js";
import type Talker from "./fixtures/talker.actor.js";

const actor = new URL("./fixtures/talker.actor.js", import.meta.url);

type Isolation = "thread" | "process";

/** `one`, beside `two` in a process and `three` in a thread. */
async function start(options: Partial<ActorSpec<typeof Talker>> = {}, isolation: Isolation = "process") {
  const system = await testSystem({ intensity: 10 });
  const of = (id: string, isolation: Isolation) =>
    system.startChild<typeof Talker>({ id, name: id, actor, isolation, callTimeoutMs: 25_000, ...options });
  const [one, two, three] = await Promise.all([of("one", isolation), of("two", "process"), of("three", "thread")]);
  return { system, one, two, three };
}

// The same in both.
describe.each(ofPart<("process" | "thread")[]>(["process"], ["process"], ["process", "thread"]))(
  "an actor in a %s",
  (isolation) => {
    // Promise: actor-process-context
    test("calls, casts and sends by reference, to threads and processes, also blocking", async () => {
      const { one, two, three } = await start({ throws: "reply" }, isolation);
      for (const other of [two, three]) {
        expect(await one.call("call", other, "add", 2)).toBe(2);
        expect(await one.call("callSync", other, "add", 2)).toBe(4);
        expect(await other.call("callSync", one, "add", 1)).toBe(other === two ? 1 : 2);
        expect(await one.call("casts", other, 9)).toEqual(["ok", "ok", "ok"]);
        await one.call("sends", other, { hello: 1 });
        expect(await other.call("seen")).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, { hello: 1 }]);
        expect(await one.call("moves", other)).toEqual({ left: 0, reply: new Uint8Array(1_000).fill(7) });
        await one.call("keep", other);
        expect(await one.call("callKept", "add", 1)).toBe(5);
        await expect(one.call("call", other, "nothing")).rejects.toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
        await expect(one.call("callWithin", other, 20, "slow", 200)).rejects.toMatchObject({
          code: "ERR_CALL_TIMEOUT",
        });
        expect(await one.call("aborts", other, "signalled")).toBe("ERR_CALL_ABORTED");
      }
      expect(await three.call("call", one, "self")).toEqual(one);
      const rich = { map: new Map([[1, new Date(0)]]), set: new Set([one]), big: 2n ** 70n, bytes: Buffer.from("x") };
      expect(await one.call("echo", rich)).toEqual(rich);
      const large = new Uint8Array(3 * 2 ** 20).fill(9);
      expect(Buffer.compare((await one.call("echo", large)) as Uint8Array, large)).toBe(0);
    });

    // Promise: actor-process-context
    test("monitors, links, looks names up and exits others, and is monitored and linked", async () => {
      const { system, one, two, three } = await start({}, isolation);
      expect(await one.call("whereis", "three")).toEqual(three);
      expect(await one.call("lookup", "two")).toEqual(two);
      expect(await one.call("whereis", "nobody")).toBe(undefined);
      await one.call("monitor", three);
      const off = await one.call("monitor", two);
      await one.call("demonitor", off);
      await three.call("monitor", one);
      await one.call("trapExit", true);
      await one.call("link", two);
      await one.call("exits", three, "kill");
      await two.cast("crash");
      await eventually(async () => (await one.call("seen")).length === 2);
      expect((await one.call("seen")).toSorted()).toEqual(["DOWN killed", "EXIT error"]);
      await three.call("monitor", one);
      await one.call("trapExit", false);
      await one.call("link", two);
      await two.cast("crash");
      await eventually(async () => (await three.call("seen")).length === 1);
      expect(await three.call("seen")).toEqual(["DOWN linked"]);
      expect(system.stats(one)).toMatchObject({ restarts: 1 });
      const down = new Promise<unknown>((resolve) => system.monitor(one, resolve));
      await one.call("stop");
      expect(await down).toMatchObject({ reason: { kind: "normal" } });
    });

    test("has timers, continuations, deferred replies and a signal", async () => {
      const { one } = await start({}, isolation);
      await one.call("sendAfter", 20, "after");
      await one.call("cancel", await one.call("sendAfter", 60_000, "never"));
      const interval = await one.call("sendInterval", 10, "each");
      await one.call("goOn", "first");
      await eventually(async () => (await one.call("seen")).filter((what) => what === "each").length > 2);
      expect(await one.call("cancel", interval)).toBe(true);
      const seen = await one.call("seen");
      expect(["first", "after", "never"].map((what) => seen.includes(what))).toEqual([true, true, false]);
      expect(await one.call("later", { a: 1 })).toEqual({ a: 1 });
      await expect(one.call("laterFails")).rejects.toMatchObject({ name: "RangeError", message: "later" });
      const controller = new AbortController();
      const waiting = one.with({ signal: controller.signal }).call("signalled");
      await eventually(() => one.stats().handling?.method === "signalled");
      controller.abort();
      await expect(waiting).rejects.toMatchObject({ code: "ERR_CALL_ABORTED" });
      await eventually(async () => (await one.call("seen")).includes("aborted"));
    });

    // Promise: actor-process-context
    test("yields streams and reads them", async () => {
      const { one, two, three } = await start({}, isolation);
      let sum = 0;
      for await (const item of one.stream("count", 300)) sum += item;
      expect(sum).toBe(44_850);
      for await (const item of one.stream("forever")) {
        expect(await one.call("add", 0)).toBe(0);
        if (item === 5) break;
      }
      await eventually(async () => (await one.call("seen")).includes("ended"));
      const broken = two.stream("breaks");
      await expect(broken.next()).rejects.toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "error" } });
      for (const other of [two, three]) {
        expect(await one.call("reads", other, 100)).toEqual([4_950, [0, 1, 2]]);
        await eventually(async () => (await other.call("seen")).includes("ended"));
      }
      expect(await three.call("reads", one, 100)).toEqual([4_950, [0, 1, 2]]);
    });

    test("starts children, and uses routers and pools", async () => {
      const { system, one, three } = await start({}, isolation);
      expect(await one.call("child", actor.href)).toBe(42);
      const members = await system.startChild(
        router<typeof Talker>({ id: "members", actor, size: 2, route: "consistent_hash", isolation: "process" }),
      );
      expect(await one.call("all", members)).toEqual(["a", ["fulfilled", "fulfilled"]]);
      expect(await three.call("all", members)).toEqual(["a", ["fulfilled", "fulfilled"]]);
      const doubling = await system.startChild(
        pool({ id: "pool", filename: new URL("../pool/fixtures/work.js", import.meta.url), maxThreads: 1 }),
      );
      expect(await one.call("run", doubling, 21)).toBe(42);
    });

    // Promise: actor-process-context
    test("is suspended, shows and takes a state, is traced and upgraded with its state and timers", async () => {
      const { system, one } = await start({ args: { n: 1 } }, isolation);
      expect(await system.getState(one)).toMatchObject({ n: 1, seen: [] });
      await system.suspend(one);
      const added = one.call("add", 1);
      expect(await system.getState(one)).toMatchObject({ n: 1 });
      await system.replaceState(one, { n: 10, seen: [], kept: one });
      await system.resume(one);
      expect(await added).toBe(11);
      expect(await system.getState(one)).toEqual({ n: 11, seen: [], kept: one });
      await one.call("sendAfter", 300, "kept over the upgrade");
      const pids = new Set([await one.call("echo", "before")]);
      await system.upgrade(one, actor);
      expect(pids.size).toBe(1);
      expect(await one.call("add", 1)).toBe(12);
      await eventually(async () => (await one.call("seen")).includes("kept over the upgrade"));
      expect(one.stats()).toMatchObject({ incarnation: 1, restarts: 0 });
    });
  },
);

// Promise: actor-process-context
test("an actor in a process refuses what no other process can have, by the path, and lives on", async () => {
  const { one, three } = await start();
  const shared = new Int32Array(new SharedArrayBuffer(4));
  await expect(one.call("echo", { list: [shared] })).rejects.toMatchObject({
    code: "ERR_NOT_CLONEABLE",
    path: "args[0].list[0]",
  });
  await one.cast("echo", shared);
  await expect(one.call("shares")).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "reply.memory" });
  expect(await one.call("failing", three)).toMatchObject({
    code: "ERR_NOT_CLONEABLE",
    path: "args[0].list[1]",
    id: "root/three",
  });
  expect(await one.call("misused")).toEqual([
    "ERR_INVALID_OPTION",
    "ERR_INVALID_OPTION",
    "ERR_UNKNOWN_METHOD",
    "ERR_INVALID_OPTION",
    "ERR_WRONG_THREAD",
    "ERR_CALLING_SELF",
  ]);
  expect(one.stats()).toMatchObject({ incarnation: 1, state: "running" });
});
