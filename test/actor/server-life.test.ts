import type { ExitReason } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import type Ending from "../fixtures/ending.actor.js";
import type Log from "../fixtures/log.actor.js";
import type Talker from "../fixtures/talker.actor.js";
import type Watcher from "../fixtures/watcher.actor.js";
import { actorsIn, KINDS, type Mode } from "../support/modes.js";
import { fixture, testSystem } from "../support/system.js";

const actor = fixture("ending");

async function endingSystem(mode: Mode, args: object = {}, more: { readonly name?: string } = {}) {
  const actors = await actorsIn(mode);
  const a = await actors.start<typeof Ending>({ id: "a", actor, args, ...more });
  const down = new Promise<ExitReason>((resolve) => actors.system.monitor(a, ({ reason }) => resolve(reason)));
  return { ...actors, a, down };
}

describe.each(KINDS)("%s", (mode) => {
  test("[stop1] an actor that stops itself ends with normal, and is gone for those who call it", async () => {
    const { a, down } = await endingSystem(mode);
    await a.call("stop", { kind: "normal" });
    expect(await down).toEqual({ kind: "normal" });
    expect(await a.call("incarnation").catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC" });
  });

  test("[stop2] an actor that stops itself for a reason ends with that reason", async () => {
    const { a, down } = await endingSystem(mode);
    await a.cast("stop", { kind: "shutdown", detail: { left: 3 } });
    expect(await down).toEqual({ kind: "shutdown", detail: { left: 3 } });
  });

  test("[undef_terminate1] [undef_terminate2] an actor without terminate stops all the same, with the reason it is given", async () => {
    const { system, start, terminate } = await actorsIn(mode);
    const stopped = await start({ id: "stopped", actor: fixture("counter") });
    const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
    const spec = { actor: fixture("watcher"), args: { log } } as const;
    const stopping = await start<typeof Watcher>({ id: "stopping", ...spec });
    const ends = [stopped, stopping].map((ref) => new Promise((resolve) => system.monitor(ref, resolve)));
    await terminate(stopped);
    await stopping.cast("stop", { kind: "shutdown", detail: "enough" });
    expect(await Promise.all(ends)).toMatchObject([
      { reason: { kind: "shutdown" } },
      { reason: { kind: "shutdown", detail: "enough" } },
    ]);
  });

  // Promise: handler-throws-ends-actor
  test("[undef_in_terminate] an actor whose terminate throws ends with that error", async () => {
    const { a, down } = await endingSystem(mode, { failTerminate: true });
    await a.cast("stop", { kind: "normal" });
    expect(await down).toMatchObject({ kind: "error", error: { message: "terminate" } });
  });

  // Promise: handler-throws-ends-actor
  test("[undef_in_handle_info] an actor whose info throws ends with that error", async () => {
    const { a, down } = await endingSystem(mode);
    await a.send("hello");
    expect(await down).toMatchObject({ kind: "error", error: { message: "info: hello" } });
  });

  test("[undef_handle_info] what is sent to an actor without info is told as unhandled, and the actor goes on", async () => {
    const { system, start } = await actorsIn(mode);
    const counter = await start<typeof Counter>({ id: "counter", actor: fixture("counter") });
    const dead = new Promise((resolve) => system.on("dead_letter", resolve));
    await counter.send("hello");
    expect(await dead).toMatchObject({ id: counter.id, method: "info", why: "unhandled" });
    expect(await counter.call("incarnation")).toBe(1);
  });

  test("[exit_twice] of two exit signals the first gives the reason", async () => {
    const { system, a, down } = await endingSystem(mode);
    system.exit(a, { kind: "shutdown", detail: "first" });
    system.exit(a, { kind: "shutdown", detail: "second" });
    expect(await down).toEqual({ kind: "shutdown", detail: "first" });
  });

  test("[large_exit] [t_exit_1] an exit reason of a megabyte arrives whole", async () => {
    const { a, down } = await endingSystem(mode);
    const detail = { text: "x".repeat(2 ** 20), bytes: new Uint8Array(4096).fill(7) };
    await a.call("stop", { kind: "shutdown", detail });
    expect(await down).toEqual({ kind: "shutdown", detail });
  });

  // Promise: replies-never-queue-behind
  test("[call_with_huge_message_queue] an actor with thousands of messages waiting gets its own calls answered", async () => {
    const { system, start } = await actorsIn(mode);
    const counter = await start<typeof Counter>({ id: "counter", actor: fixture("counter") });
    const talker = await start<typeof Talker>({
      id: "talker",
      actor: fixture("talker"),
      mailbox: { capacity: 20_000 },
    });
    await talker.call("prepare", counter);
    await system.suspend(talker);
    const talked = talker
      .with({ timeoutMs: 30_000 })
      .call(mode === "light, in one thread" ? "talkAwaiting" : "talk", 1_000);
    for (let i = 0; i < 10_000; i++) talker.tryCast("prepare", counter);
    expect(system.stats(talker).mailbox.length).toBe(10_001);
    await system.resume(talker);
    await talked;
    expect(await counter.call("get")).toBe(1_000);
  });

  test("[suspend] to suspend or resume an actor twice is no error", async () => {
    const { system, start } = await actorsIn(mode);
    const counter = await start<typeof Counter>({ id: "counter", actor: fixture("counter") });
    await system.suspend(counter);
    await system.suspend(counter);
    const call = counter.call("add", 1);
    await system.resume(counter);
    await system.resume(counter);
    expect(await call).toBe(1);
  });

  test("[replace_state] the state of a suspended actor can be replaced", async () => {
    const { system, start } = await actorsIn(mode);
    const counter = await start<typeof Counter>({ id: "counter", actor: fixture("counter") });
    await system.suspend(counter);
    await system.replaceState(counter, { count: 5 });
    await system.resume(counter);
    expect(await counter.call("get")).toBe(5);
  });

  test("[case_2] [demon_e_1] [demon_1] only who made a monitor can take it off, and to take off none is no error", async () => {
    const { system, start } = await actorsIn(mode);
    const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
    const spec = { actor: fixture("watcher"), args: { log } } as const;
    const a = await start<typeof Watcher>({ id: "a", ...spec });
    const b = await start<typeof Watcher>({ id: "b", ...spec });
    const monitor = await a.call("monitor", b);
    await b.call("demonitor", monitor);
    await a.call("demonitor", monitor + 1_000);
    await b.cast("crash");
    expect(await log.call("untilCount", 1)).toEqual([{ type: "DOWN", id: b.id, kind: "error", monitor }]);
  });

  test("[demonitor_flush] of several monitors on one actor each that is left tells of its end, and no other", async () => {
    const { system, start } = await actorsIn(mode);
    const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
    const spec = { actor: fixture("watcher"), args: { log } } as const;
    const a = await start<typeof Watcher>({ id: "a", ...spec });
    const b = await start<typeof Watcher>({ id: "b", ...spec });
    const c = await start<typeof Watcher>({ id: "c", ...spec });
    const monitors: number[] = [];
    for (let i = 0; i < 4; i++) monitors.push(await a.call("monitor", b));
    await a.call("demonitor", monitors[0]);
    // Once more when the DOWN is on its way, or there already.
    await b.cast("crash");
    await b.call("incarnation").catch(() => {});
    await a.call("monitor", c);
    await c.cast("crash");
    const told = (await log.call("untilCount", 4)) as { monitor: number }[];
    expect(told.slice(0, 3).map(({ monitor }) => monitor)).toEqual(monitors.slice(1));
  });
});

// Names, see light/refusals.
// Promise: name-free-down-seen
test("[stop4] [named_down] a name is free before DOWN is seen", async () => {
  const { system, a } = await endingSystem("in threads of their own", {}, { name: "alice" });
  const found = new Promise((resolve) => system.monitor(a, () => resolve(system.whereis("alice"))));
  expect(system.whereis("alice")).toBe(a);
  await a.cast("crash", "boom");
  expect(await found).toBeUndefined();
});

// Promise: failed-init-frees-name
test("[otp_7669] a start that fails or is ignored has freed the name when startChild answers", async () => {
  const system = await testSystem();
  const start = (args: object) => system.startChild({ id: "a", name: "alice", actor, args, restart: "temporary" });
  expect(await start({ failFrom: 1 }).catch((e: unknown) => e)).toMatchObject({ code: "ERR_INIT_FAILED" });
  expect(system.whereis("alice")).toBeUndefined();
  await start({ ignore: true });
  expect(system.whereis("alice")).toBeUndefined();
  expect(await start({})).toBe(system.whereis("alice"));
});
