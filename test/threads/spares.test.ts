import { describe, expect, test } from "vitest";
import type { ActorThread } from "#runtime/threads/actor-thread.js";
import { SpareThreads } from "#runtime/threads/spare-threads.js";
import type Counter from "../fixtures/counter.actor.js";
import { eventually } from "../support/eventually.js";
import { projectFolder } from "../support/project-folder.js";
import { fixture, testSystem } from "../support/system.js";

async function crashing(spares?: number) {
  const system = await testSystem({ intensity: 1000, ...(spares === undefined ? {} : { spares }) });
  const start = (id: string, heapCapMb = 64) =>
    system.startChild<typeof Counter>({ id, actor: fixture("counter"), heapCapMb });
  const crash = async (id: string) => {
    await system
      .child(id)
      .call("crash", "x")
      .catch(() => {});
    expect(await system.child(id).call("get")).toBe(0);
  };
  return { system, start, crash };
}

test("an actor that was restarted has a spare thread, which takes over at the next crash", async () => {
  const { system, start, crash } = await crashing();
  await start("a");
  expect(system.stats().spares).toEqual({ count: 0, ready: 0, limit: 2 });
  await crash("a");
  await eventually(() => system.stats().spares.ready === 1);
  const { threads } = system.stats();
  await system.child("a").cast("crash", "x");
  expect(await system.child("a").call("incarnation")).toBe(3);
  await eventually(() => system.stats().spares.ready === 1);
  expect(system.stats().threads).toBe(threads);
});

test("spares never exceed their limit, whatever crashes", async () => {
  const { system, start, crash } = await crashing(2);
  // Threads of different caps cannot stand in for each other.
  const caps = [40, 41, 42, 43];
  for (const cap of caps) await start(`cap-${cap}`, cap);
  for (const cap of caps) {
    await crash(`cap-${cap}`);
    expect(system.stats().spares.count).toBeLessThanOrEqual(2);
  }
});

test("without spares a restart starts a thread of its own", async () => {
  const { system, start, crash } = await crashing(0);
  await start("a");
  await crash("a");
  await crash("a");
  expect(system.stats().spares).toEqual({ count: 0, ready: 0, limit: 0 });
});

test("a spare does not keep the system from stopping, nor outlive it", async () => {
  const { system, start, crash } = await crashing();
  await start("a");
  await crash("a");
  await eventually(() => system.stats().spares.ready === 1);
  await system.stop();
  expect(system.stats()).toMatchObject({ actors: 0, threads: 0, spares: { count: 0 } });
});

test("a limit that is no whole number is refused", async () => {
  expect(await crashing(-1).catch((e: unknown) => e)).toMatchObject({
    code: "ERR_INVALID_OPTION",
    field: "spares",
  });
});

test.each([
  ["loaded", 1],
  ["module_failed", 0],
])("a spare that has posted %s before main goes on is taken as it is", (type, count) => {
  const spares = new SpareThreads(2, () => {});
  spares.provide("key", "file:///a.js", 1000, (listener) => {
    // A thread that main takes the messages of while it abandons it, as after a pause of main.
    const abandon = () => listener.onMessage({ type } as never);
    return { abandon, hold: () => {} } as ActorThread;
  });
  expect([spares.count, spares.ready]).toEqual([count, count]);
});

describe("after an upgrade to the same URL, whose file was edited", () => {
  const code = (version: number) => `
    import { defineActor } from "@mini-otp/worker-host";
    export default defineActor({
      init: () => ({}),
      handlers: {
        version: () => ${version},
        crash() {
          throw new Error("x");
        },
      },
    });`;

  async function withSpareOf(ids: readonly string[]) {
    const { url, write } = projectFolder();
    write("v.actor.js", code(1));
    const system = await testSystem({ intensity: 1000 });
    const actor = url("v.actor.js");
    for (const id of ids) await system.startChild({ id, actor });
    const crash = async (id: string): Promise<number> => {
      await system.child(id).cast("crash");
      return system.child(id).call("version");
    };
    expect(await crash(ids[0])).toBe(1);
    await eventually(() => system.stats().spares.ready === 1);
    return { system, write, crash, upgrade: (id: string) => system.upgrade(system.child(id), actor) };
  }

  // Promise: later-restarts-use-new
  test("no crash brings the old code back, neither of this actor nor of another of the module", async () => {
    const { system, write, crash, upgrade } = await withSpareOf(["a", "b"]);
    write("v.actor.js", code(2));
    await upgrade("b");
    expect(system.stats().spares.count).toBe(0);
    expect(await crash("b")).toBe(2);
    expect(await crash("a")).toBe(2);
  });

  test("the actor's own next spare has loaded the new code", async () => {
    const { system, write, crash, upgrade } = await withSpareOf(["a"]);
    write("v.actor.js", code(2));
    await upgrade("a");
    await eventually(() => system.stats().spares.ready === 1);
    const { threads } = system.stats();
    write("v.actor.js", "this is no JavaScript");
    // A thread of its own would find the file as it is now.
    expect(await crash("a")).toBe(2);
    expect(system.stats().threads).toBe(threads);
  });

  test("an upgrade that fails leaves the spares, which have the code that still runs", async () => {
    const { system, write, crash, upgrade } = await withSpareOf(["a"]);
    write("v.actor.js", "this is no JavaScript");
    expect(await upgrade("a").catch((e: unknown) => e)).toMatchObject({ code: "ERR_ACTOR_MODULE" });
    expect(system.stats().spares.ready).toBe(1);
    expect(await crash("a")).toBe(1);
  });
});
