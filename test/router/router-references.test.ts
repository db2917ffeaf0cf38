import { getEventListeners } from "node:events";
import { type ActorRef, pool, type RouterSpec, router } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Log from "../fixtures/log.actor.js";
import type Watcher from "../fixtures/watcher.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";

const member = new URL("./fixtures/member.actor.js", import.meta.url);
const memberV2 = new URL("./fixtures/member-v2.actor.js", import.meta.url);

async function start(options: Partial<RouterSpec<typeof Member>> = {}) {
  const system = await testSystem({ intensity: 10 });
  const ref = await system.startChild(
    router<typeof Member>({ id: "pair", actor: member, size: 2, route: "round_robin", ...options }),
  );
  return { system, ref };
}

async function startPool() {
  const system = await testSystem({ intensity: 10 });
  const filename = new URL("../pool/fixtures/work.js", import.meta.url);
  const ref = await system.startChild(pool({ id: "work", filename, maxThreads: 1 }));
  return { system, ref };
}

/** An actor that logs the signals it gets. */
async function startWatcher(system: Awaited<ReturnType<typeof testSystem>>, args: { trap?: boolean } = {}) {
  const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
  const watcher = await system.startChild<typeof Watcher>({
    id: "watcher",
    actor: fixture("watcher"),
    args: { log, ...args },
  });
  return { log, watcher };
}

describe("a router's numbers", () => {
  // Promise: done-router-s-reference
  test("are the sum of its members' and each one's own", async () => {
    const { system, ref } = await start({ size: 3, mailbox: { capacity: 16 }, heapCapMb: 32 });
    for (let i = 0; i < 7; i++) await ref.call("who");
    await eventually(() => system.stats(ref).mailbox.handled === 7);
    const stats = system.stats(ref);
    expect(stats).toMatchObject({ state: "running", incarnation: 1, restarts: 0, size: 3, heapCapMb: 96 });
    expect(stats.mailbox).toMatchObject({ length: 0, capacity: 48, enqueued: 7, handled: 7, dropped: 0 });
    expect(stats.members.map((one) => one?.mailbox.handled)).toEqual([3, 2, 2]);
    expect(stats.latency.maxMs).toBe(Math.max(...stats.members.map((one) => one?.latency.maxMs ?? 0)));
    expect(stats.latency.p50Ms).toBeGreaterThan(0);
    expect(ref.stats()).toMatchObject({ size: 3, mailbox: { handled: 7 } });
  });

  test("count the restarts of its members, and those who are gone are in no sum", async () => {
    const { system, ref } = await start({ restart: "temporary" });
    await ref.child("0")?.cast("end");
    await eventually(() => ref.child("0") === undefined);
    expect(system.stats(ref)).toMatchObject({ state: "running", size: 2, heapCapMb: 64 });
    expect(system.stats(ref).members[0]).toBeUndefined();
    const other = await start();
    await other.ref.child("1")?.cast("crash");
    await eventually(() => other.system.stats(other.ref).restarts === 1);
  });

  test("tell what a member is handling, and that the router was stopped", async () => {
    const { system, ref } = await start();
    const gate = await system.startChild({ id: "gate", actor: fixture("gate") });
    await ref.child("1")?.cast("hold", gate);
    await gate.call("someone");
    expect(system.stats(ref).handling?.method).toBe("hold");
    await gate.call("open");
    await system.terminateChild("pair");
    expect(system.stats(ref).state).toBe("stopped");
  });

  test("of a key's reference are those of its member", async () => {
    const { system, ref } = await start({ size: 4, route: "consistent_hash" });
    const keyed = ref.forKey("ada");
    const id = await keyed.call("who");
    const own = ref.child(id.slice(-1)) as ActorRef;
    await eventually(() => system.stats(own).mailbox.handled === 1);
    expect(system.stats(keyed).mailbox.handled).toBe(1);
    expect(keyed.stats()).toMatchObject({ mailbox: { handled: 1 } });
  });
});

describe("what is done to a router", () => {
  // Promise: done-router-s-reference
  test("suspend and resume are for every member", async () => {
    const { system, ref } = await start();
    await system.suspend(ref);
    expect(system.stats(ref).state).toBe("suspended");
    expect(system.stats(ref).members.map((one) => one?.state)).toEqual(["suspended", "suspended"]);
    const answers = Promise.all([ref.call("who"), ref.call("who")]);
    await system.resume(ref);
    expect((await answers).sort()).toEqual(["root/pair/0", "root/pair/1"]);
    expect(system.stats(ref).state).toBe("running");
  });

  // Promise: done-router-s-reference
  test("getState tells the state of each member, and replaceState puts one in the place of all", async () => {
    const { system, ref } = await start();
    await ref.child("1")?.call("who");
    expect(await system.getState(ref)).toMatchObject([
      { id: "root/pair/0", status: "fulfilled", value: { handled: 0 } },
      { id: "root/pair/1", status: "fulfilled", value: { handled: 1 } },
    ]);
    await system.replaceState(ref, { handled: 40, informed: 0 });
    await ref.child("0")?.call("who");
    const states = await system.getState(ref);
    expect(states.map((state) => state.status === "fulfilled" && state.value.handled)).toEqual([41, 40]);
    await system.replaceState(ref.forKey("ada"), { handled: 7, informed: 0 });
    expect((await system.getState(ref.forKey("ada"))).handled).toBe(7);
  });

  test("a member that cannot answer is told of as callAll does, and fails what tells all", async () => {
    const { system, ref } = await start({ restart: "transient" });
    await ref.child("0")?.cast("end");
    await eventually(() => ref.whichChildren()[1].state === "stopped");
    expect(await system.getState(ref)).toMatchObject([
      { id: "root/pair/0", status: "rejected", reason: { code: "ERR_NOPROC" } },
      { id: "root/pair/1", status: "fulfilled" },
    ]);
    await expect(system.suspend(ref)).rejects.toMatchObject({ code: "ERR_NOPROC", id: "root/pair/0" });
    expect(system.stats(ref.child("1") as ActorRef).state).toBe("suspended");
  });

  test("trace tells of all members as one", async () => {
    const { system, ref } = await start();
    const trace = system.trace(ref, { methods: ["who"] });
    for (let i = 0; i < 4; i++) await ref.call("who");
    const ids: string[] = [];
    for await (const { id, method } of trace) {
      ids.push(`${id} ${method}`);
      if (ids.length === 4) break;
    }
    expect(ids.sort()).toEqual(["root/pair/0 who", "root/pair/0 who", "root/pair/1 who", "root/pair/1 who"]);
  });

  test("a trace of many members listens to its signal once", async () => {
    const { system, ref } = await start({ size: 12 });
    const controller = new AbortController();
    const trace = system.trace(ref, { signal: controller.signal });
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    await trace.return?.();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("its trace ends when it is aborted, left while nothing comes, or the router is gone", async () => {
    const { system, ref } = await start();
    const ended = { done: true, value: undefined };
    const controller = new AbortController();
    const aborted = system.trace(ref, { signal: controller.signal }).next();
    controller.abort();
    expect(await aborted).toEqual(ended);
    const left = system.trace(ref);
    const waiting = left.next();
    await left.return?.();
    expect(await waiting).toEqual(ended);
    const gone = system.trace(ref).next();
    await system.terminateChild("pair");
    await system.deleteChild("pair");
    expect(await gone).toEqual(ended);
  });

  // Promise: done-router-s-reference
  test("an exit signal reaches every member, and their supervisor restarts them", async () => {
    const { system, ref } = await start({ intensity: 10 });
    system.exit(ref, "kill");
    await eventually(() => system.stats(ref).restarts === 2);
    expect(await ref.callAll("incarnation")).toMatchObject([{ value: 2 }, { value: 2 }]);
    expect(system.stats(ref).incarnation).toBe(1);
  });

  test("an actor's exit signal reaches every member too", async () => {
    const { system, ref } = await start({ intensity: 10 });
    const { watcher } = await startWatcher(system);
    await watcher.call("exit", ref, { kind: "shutdown" });
    await eventually(() => system.stats(ref).restarts === 2);
  });

  test.each(["heapSnapshot", "cpuProfile"] as const)("%s is of one member: ERR_NOT_AN_ACTOR", async (what) => {
    const { system, ref } = await start();
    await expect(system[what](ref, 10)).rejects.toMatchObject({ code: "ERR_NOT_AN_ACTOR", id: "root/pair" });
  });
});

describe("an upgrade of a router", () => {
  // Promise: upgrade-router-upgrades-member
  test("gives its members the new code one after the other, and those that come later", async () => {
    const { system, ref } = await start({ size: 3, intensity: 10 });
    const upgraded: string[] = [];
    system.on("actor_upgraded", ({ id }) => upgraded.push(id));
    await ref.child("1")?.call("who");
    const calls = Array.from({ length: 300 }, () => ref.call("who"));
    expect(await system.upgrade(ref, memberV2)).toEqual(
      ["0", "1", "2"].map((id) => ({ id: `root/pair/${id}`, status: "fulfilled", value: undefined })),
    );
    expect(await Promise.all(calls)).toHaveLength(300);
    expect(upgraded).toEqual(["root/pair/0", "root/pair/1", "root/pair/2"]);
    expect(system.stats(ref).restarts).toBe(0);
    await ref.resize(4);
    expect(await ref.child("3")?.call("who")).toBe("root/pair/3 v2");
    await ref.child("0")?.cast("crash");
    expect(await ref.child("0")?.call("who")).toBe("root/pair/0 v2");
  });

  // Promise: upgrade-router-upgrades-member
  test("leaves the others alone when it fails for the first member", async () => {
    const { system, ref } = await start();
    const nowhere = new URL("./fixtures/nowhere.actor.js", import.meta.url);
    await expect(system.upgrade(ref, nowhere)).rejects.toMatchObject({ code: "ERR_ACTOR_MODULE" });
    await system.replaceState(ref.child("0") as ActorRef, { handled: 13, informed: 0 });
    await expect(system.upgrade(ref, memberV2)).rejects.toMatchObject({ code: "ERR_INIT_FAILED", id: "root/pair/0" });
    expect(await ref.child("1")?.call("who")).toBe("root/pair/1");
  });

  test("tells of a member that goes on with its old code", async () => {
    const { system, ref } = await start({ size: 3 });
    await system.replaceState(ref.child("1") as ActorRef, { handled: 13, informed: 0 });
    expect(await system.upgrade(ref, memberV2)).toMatchObject([
      { id: "root/pair/0", status: "fulfilled" },
      { id: "root/pair/1", status: "rejected", reason: { code: "ERR_INIT_FAILED" } },
      { id: "root/pair/2", status: "fulfilled" },
    ]);
    const answers = await ref.callAll("who");
    expect(answers.map((answer) => answer.status === "fulfilled" && answer.value)).toEqual([
      "root/pair/0 v2",
      "root/pair/1",
      "root/pair/2 v2",
    ]);
  });

  test("of a key's reference is its member's", async () => {
    const { system, ref } = await start({ size: 3 });
    const keyed = ref.forKey("ada");
    const id = await keyed.call("who");
    expect(await system.upgrade(keyed, memberV2)).toBeUndefined();
    expect(await keyed.call("who")).toBe(`${id} v2`);
    const answers = await ref.callAll("who");
    expect(answers.filter((answer) => answer.status === "fulfilled" && answer.value.endsWith("v2"))).toHaveLength(1);
  });
});

describe("a monitor of a router", () => {
  // Promise: router-monitored-linked-whole
  test("says nothing while members are restarted, and DOWN when the router ends", async () => {
    const { system, ref } = await start({ intensity: 2 });
    const { log, watcher } = await startWatcher(system);
    await watcher.call("monitor", ref);
    const down = new Promise<{ id: string; ref: unknown; kind: string }>((resolve) => {
      system.monitor(ref, ({ id, ref, reason }) => resolve({ id, ref, kind: reason.kind }));
    });
    await ref.child("0")?.cast("crash");
    await eventually(() => system.stats(ref).restarts === 1);
    expect(await log.call("entries")).toEqual([]);
    for (let i = 0; i < 3; i++) await ref.child("1")?.cast("crash");
    expect(await down).toEqual({ id: "root/pair", ref, kind: "shutdown" });
    expect(await log.call("untilCount", 1)).toMatchObject([{ type: "DOWN", id: "root/pair", kind: "shutdown" }]);
  });

  test("is over with the router's incarnation, and a new one is of the next", async () => {
    const { system, ref } = await start({ intensity: 0 });
    const downs: string[] = [];
    const watch = () => system.monitor(ref, ({ reason }) => downs.push(reason.kind));
    watch();
    await ref.child("0")?.cast("crash");
    await eventually(() => downs.length === 1 && system.stats(ref).incarnation === 2);
    await eventually(() => system.stats(ref).state === "running");
    watch();
    await system.terminateChild("pair");
    expect(downs).toEqual(["shutdown", "shutdown"]);
    watch();
    await eventually(() => downs.length === 3);
    expect(downs[2]).toBe("noproc");
  });

  test("of a key's reference is of its member", async () => {
    const { system, ref } = await start({ intensity: 10 });
    const keyed = ref.forKey("ada");
    const id = await keyed.call("who");
    const down = new Promise((resolve) => system.monitor(keyed, resolve));
    const { log, watcher } = await startWatcher(system);
    await watcher.call("monitor", keyed);
    await keyed.cast("crash");
    expect(await down).toMatchObject({ id, reason: { kind: "error" } });
    expect(await log.call("untilCount", 1)).toMatchObject([{ type: "DOWN", id, kind: "error" }]);
  });

  // Promise: router-monitored-linked-whole
  test("a link takes the actor along when the router ends, and the router outlives the actor", async () => {
    const { system, ref } = await start({ intensity: 0 });
    const { log, watcher } = await startWatcher(system, { trap: true });
    await watcher.call("link", ref);
    await watcher.cast("crash");
    await eventually(() => system.stats(watcher).incarnation === 2);
    expect(await ref.call("who")).toMatch("root/pair/");
    await watcher.call("link", ref);
    await ref.child("0")?.cast("crash");
    expect(await log.call("untilCount", 1)).toMatchObject([{ type: "EXIT", id: "root/pair", kind: "shutdown" }]);
  });
});

describe("a pool's reference", () => {
  test("is one that system.stats takes", async () => {
    const { system, ref } = await startPool();
    expect(await ref.run(2)).toBe(4);
    expect(system.stats(ref)).toMatchObject({ state: "running", completed: 1, maxThreads: 1 });
  });

  // Promise: pool-can-monitored-linked
  test("can be monitored and linked: DOWN and EXIT come when the pool ends", async () => {
    const { system, ref } = await startPool();
    const { log, watcher } = await startWatcher(system, { trap: true });
    await watcher.call("monitor", ref);
    await watcher.call("link", ref);
    const down = new Promise((resolve) => system.monitor(ref, resolve));
    system.exit(ref, "kill");
    expect(await down).toMatchObject({ type: "DOWN", id: "root/work", ref, reason: { kind: "killed" } });
    const entries = (await log.call("untilCount", 2)) as { type: string; kind: string }[];
    expect(entries.map(({ type, kind }) => `${type} ${kind}`).sort()).toEqual(["DOWN killed", "EXIT killed"]);
    await eventually(() => system.stats(ref).state === "running" && system.stats(ref).restarts === 1);
    expect(await ref.run(2)).toBe(4);
  });

  // Promise: pool-can-monitored-linked
  test("a linked actor that crashes takes the pool along, which is restarted", async () => {
    const { system, ref } = await startPool();
    const { watcher } = await startWatcher(system);
    await watcher.call("link", ref);
    await watcher.cast("crash");
    await eventually(() => system.stats(ref).restarts === 1);
    expect(await ref.run(2)).toBe(4);
  });

  test.each(["suspend", "resume", "getState", "replaceState", "heapSnapshot", "upgrade"] as const)(
    "%s makes no sense for it: ERR_NOT_AN_ACTOR",
    async (what) => {
      const { system, ref } = await startPool();
      const asked = (system[what] as (ref: unknown, value: unknown) => Promise<unknown>)(ref, memberV2);
      await expect(asked).rejects.toMatchObject({ code: "ERR_NOT_AN_ACTOR", id: "root/work" });
    },
  );
});

test("what is no reference is a TypeError that says what was given", async () => {
  const { system, ref } = await start();
  const given = (value: unknown) => value as ActorRef;
  expect(() => system.stats(given("root/pair"))).toThrow(/stats: takes a reference .* was given string/);
  expect(() => system.stats(given(undefined))).toThrow(/was given undefined/);
  expect(() => system.monitor(given(system), () => {})).toThrow(/was given a supervisor/);
  await expect(system.getState(given(null))).rejects.toThrow(/was given null/);
  await system.terminateChild("pair");
  await system.deleteChild("pair");
  expect(() => system.stats(ref)).toThrow(expect.objectContaining({ code: "ERR_NOPROC" }));
  await expect(system.suspend(ref)).rejects.toMatchObject({ code: "ERR_NOPROC" });
});
