import type { ActorRef } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import type Gate from "../fixtures/gate.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type Sender from "./fixtures/sender.actor.js";
import type First from "./fixtures/shop-v1.actor.js";
import type Second from "./fixtures/shop-v2.actor.js";

const module = (name: string) => new URL(`./fixtures/${name}.actor.js`, import.meta.url);
const [first, second] = [module("shop-v1"), module("shop-v2")];

async function start(options: object = {}) {
  const system = await testSystem();
  const shop = await system.startChild<typeof First>({ id: "shop", actor: first, ...options });
  const now = shop as unknown as ActorRef<typeof Second>;
  const startGate = () => system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  return { system, shop, now, startGate };
}

describe("an upgrade", () => {
  // Promise: new-code-gets-state
  test("hands the state through codeChange; reference, name, incarnation and thread count stay", async () => {
    const { system, shop, now } = await start({ name: "shop" });
    const ended: unknown[] = [];
    system.on("actor_exited", (event) => ended.push(event));
    const upgraded: unknown[] = [];
    system.on("actor_upgraded", (event) => upgraded.push(event));
    await shop.call("sell", "a");
    await system.upgrade(shop, second);
    expect(await now.call("version")).toBe(2);
    expect(await now.call("sell", "b")).toBe(2);
    expect(await now.call("notes")).toEqual(["1 a", "2 b"]);
    expect(await now.call("from")).toBe("1");
    expect(await now.call("incarnation")).toBe(1);
    expect(await system.whereis("shop")?.call("version")).toBe(2);
    expect(system.stats(shop)).toMatchObject({ incarnation: 1, restarts: 0, state: "running" });
    expect(system.stats().threads).toBe(1);
    expect(ended).toEqual([]);
    expect(upgraded).toMatchObject([{ id: "root/shop", incarnation: 1, fromVersion: "1", version: "2" }]);
  });

  test("tells codeChange the former module's URL when that names no version", async () => {
    const { system, shop, now } = await start({ actor: module("unnamed") });
    await system.upgrade(shop, second);
    expect(await now.call("from")).toBe(module("unnamed").href);
  });

  test("to code without codeChange takes the state as it is", async () => {
    const { system, shop } = await start({ actor: module("unnamed") });
    await shop.call("sell", "a");
    await system.upgrade(shop, module("unnamed"));
    expect(await (shop as ActorRef).call("state")).toEqual({ sold: 1, notes: ["unnamed a"] });
  });

  // Promise: later-restarts-use-new
  test("a restart afterwards uses the new code, and may be upgraded again", async () => {
    const { system, shop, now } = await start();
    await system.upgrade(shop, second);
    await now.cast("crash");
    expect(await now.call("version")).toBe(2);
    expect(await now.call("incarnation")).toBe(2);
    await system.upgrade(shop, module("unnamed"));
    expect(await shop.call("version")).toBe("unnamed");
    await system.terminateChild("shop");
    await system.restartChild("shop");
    expect(await shop.call("version")).toBe("unnamed");
  });

  // Promise: new-code-gets-state
  test("waits for the message being handled, and takes over before the next", async () => {
    const { system, shop, now, startGate } = await start();
    const gate = await startGate();
    await shop.cast("hold", gate);
    await gate.call("someone");
    const waiting = [shop.call("sell", "a"), shop.call("sell", "b")];
    const upgraded = system.upgrade(shop, second);
    await system.getState(shop);
    await eventually(() => system.stats(shop).mailbox.length === 2);
    await gate.call("open");
    await upgraded;
    await Promise.all(waiting);
    const notes = await now.call("notes");
    expect(notes.map((note) => note.slice(2))).toEqual(["a", "b"]);
  });

  // Promise: links-monitors-timers-suspension
  test("of a suspended actor leaves it suspended", async () => {
    const { system, shop, now } = await start();
    await system.suspend(shop);
    const sold = shop.call("sell", "a");
    await system.upgrade(shop, second);
    expect(await system.getState(shop)).toMatchObject({ numbers: { sold: 0 }, notes: [] });
    await system.resume(shop);
    await sold;
    expect(await now.call("notes")).toEqual(["2 a"]);
  });

  // Promise: links-monitors-timers-suspension
  test("keeps references in the state", async () => {
    const { system, shop, now } = await start();
    const counter = await system.startChild<typeof Counter>({
      id: "counter",
      actor: fixture("counter"),
      args: { start: 7 },
    });
    await shop.call("remember", counter);
    await system.upgrade(shop, second);
    expect(await now.call("ask")).toBe(7);
  });

  // Promise: links-monitors-timers-suspension
  test("keeps timers, with their ids and what is left of their time", async () => {
    const { system, shop, now } = await start();
    const never = await shop.call("later", 60_000);
    await shop.call("later", 30);
    const interval = await shop.call("every", 20);
    await system.upgrade(shop, second);
    let notes: string[] = [];
    const look = async () => {
      notes = await now.call("notes");
      return notes.includes("2 interval") && notes.some((note) => note.endsWith("timer"));
    };
    while (!(await look()));
    expect(await now.call("cancel", never)).toBe(true);
    expect(await now.call("cancel", interval)).toBe(true);
    expect(await now.call("later", 60_000)).toBeGreaterThan(interval);
  });

  // Promise: links-monitors-timers-suspension
  test("keeps monitors and links", async () => {
    const { system, shop, now } = await start();
    const [a, b, c, d] = await Promise.all(
      ["a", "b", "c", "d"].map((id) =>
        system.startChild<typeof Counter>({ id, actor: fixture("counter"), restart: "temporary" }),
      ),
    );
    let watched = 0;
    system.monitor(shop, () => watched++);
    expect(await shop.call("watch", a)).toBe(1);
    expect(await shop.call("watch", b)).toBe(2);
    await shop.call("link", c);
    await system.upgrade(shop, second);
    expect(await now.call("watch", d)).toBe(3);
    await now.call("demonitor", 2);
    for (const ref of [b, a, c, d]) {
      await ref.cast("crash", "now");
      await eventually(() => system.child(ref.id.slice(-1)) === undefined);
    }
    let notes: string[] = [];
    while (notes.length < 3) notes = await now.call("notes");
    expect(notes).toEqual(["2 DOWN 1 error", "2 EXIT undefined error", "2 DOWN 3 error"]);
    expect(watched).toBe(0);
  });

  // Promise: links-monitors-timers-suspension
  test("a call whose reply the former code had put off rejects with ERR_CALL_EXIT", async () => {
    const { system, shop } = await start();
    const owed = shop.with({ timeoutMs: 60_000 }).call("owe");
    await shop.call("version");
    const outcome = expect(owed).rejects.toMatchObject({
      code: "ERR_CALL_EXIT",
      reason: { kind: "shutdown", detail: "upgraded" },
    });
    await system.upgrade(shop, second);
    await outcome;
  });

  test.each(["block", "drop_oldest"] as const)(
    // Promise: message-lost-handled-twice
    "under load from main and actors loses nothing, repeats nothing and keeps the order (%s)",
    async (overflow) => {
      const { system, shop, now } = await start({
        mailbox: { capacity: overflow === "block" ? 64 : 65_536, capacityBytes: 2 ** 24, overflow },
      });
      const senders = await Promise.all(
        [0, 1].map((i) =>
          system.startChild<typeof Sender>({ id: `sender-${i}`, actor: module("sender"), handlerTimeoutMs: 60_000 }),
        ),
      );
      const count = 3_000;
      const patient = { timeoutMs: 60_000 };
      const sent = senders.map((sender, i) => sender.with(patient).call("sendAll", shop, `s${i}`, count));
      const calls: Promise<unknown>[] = [];
      const fromMain = (async () => {
        for (let i = 0; i < count; i++) {
          calls.push(shop.with(patient).call("sell", `call ${i}`));
          await shop.cast("sell", `main ${i}`);
        }
      })();
      for (let round = 0; round < 3; round++) {
        await system.upgrade(shop, second);
        await system.upgrade(shop, module("back"));
      }
      await system.upgrade(shop, second);
      await Promise.all([...sent, fromMain, ...calls]);
      expect(new Set(await Promise.all(calls)).size).toBe(count);
      const notes = (await now.with(patient).call("notes")).map((note) => note.slice(2));
      expect(notes).toHaveLength(4 * count);
      for (const sender of ["s0", "s1", "main", "call"]) {
        const own = notes.filter((note) => note.startsWith(`${sender} `));
        expect(own).toEqual(Array.from({ length: count }, (_, i) => `${sender} ${i}`));
      }
      expect(system.stats(shop)).toMatchObject({ incarnation: 1, mailbox: { dropped: 0, length: 0 } });
      expect(system.stats().deadLetters).toBe(0);
    },
    60_000,
  );
});

describe("an upgrade that fails leaves the former code in its place:", () => {
  async function refused(name: string, options: { timeoutMs?: number } = {}, spec: object = {}) {
    const { system, shop } = await start(spec);
    await shop.call("sell", "before");
    const error = await system.upgrade(shop, module(name), options).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(await shop.call("sell", "after")).toBe(2);
    expect(await shop.call("notes")).toEqual(["1 before", "1 after"]);
    expect(await shop.call("incarnation")).toBe(1);
    await eventually(() => system.stats().threads === 1);
    return error;
  }

  // Promise: fails-former-code-goes
  test("the module is missing", async () => {
    expect(await refused("nowhere")).toMatchObject({
      code: "ERR_ACTOR_MODULE",
      message: expect.stringContaining("nowhere"),
    });
  });

  test("the module has no actor", async () => {
    expect(await refused("../../support/eventually")).toMatchObject({ code: "ERR_ACTOR_MODULE" });
  });

  // Promise: fails-former-code-goes
  test("codeChange throws", async () => {
    expect(await refused("change-throws")).toMatchObject({
      code: "ERR_INIT_FAILED",
      stage: "changing the code",
      cause: { name: "TypeError", message: "not like this" },
      message: expect.stringContaining("not like this"),
    });
  });

  // Promise: fails-former-code-goes
  test.each(["change-hangs", "change-loops"])("codeChange never ends (%s)", async (name) => {
    expect(await refused(name, { timeoutMs: 1_000 })).toMatchObject({
      code: "ERR_INIT_TIMEOUT",
      timeoutMs: 1_000,
      stage: "changing the code",
    });
  });

  test("codeChange exits", async () => {
    expect(await refused("change-exits")).toMatchObject({
      code: "ERR_INIT_FAILED",
      reason: { kind: "exit_called", code: 3 },
    });
  });

  // Promise: fails-former-code-goes
  test("codeChange takes more memory than the cap", async () => {
    expect(await refused("change-leaks", {}, { heapCapMb: 32 })).toMatchObject({
      code: "ERR_INIT_FAILED",
      reason: { kind: "heap_cap_exceeded" },
    });
  });

  test("codeChange takes more memory than the cap, and the guard names the actor", async () => {
    const { system, shop } = await start({ heapCapMb: 32 });
    const killed: unknown[] = [];
    system.on("guard_killed", ({ id }) => killed.push(id));
    await system.upgrade(shop, module("change-leaks")).catch(() => {});
    expect(killed).toEqual(["root/shop"]);
  });

  test("codeChange sends a message", async () => {
    const { system, shop } = await start();
    const counter = await system.startChild<typeof Counter>({ id: "counter", actor: fixture("counter") });
    await shop.call("remember", counter);
    await expect(system.upgrade(shop, module("change-calls"))).rejects.toMatchObject({
      code: "ERR_INIT_FAILED",
      cause: { code: "ERR_WRONG_THREAD" },
    });
    expect(await shop.call("version")).toBe(1);
  });

  // Promise: fails-former-code-goes
  test("the state cannot be carried", async () => {
    const { system, shop } = await start();
    await shop.call("keep");
    await expect(system.upgrade(shop, second)).rejects.toMatchObject({
      code: "ERR_NOT_CLONEABLE",
      path: "ctx.state.extra",
    });
    expect(await shop.call("version")).toBe(1);
  });

  // Promise: fails-former-code-goes
  test("the message being handled takes too long", async () => {
    const { system, shop, startGate } = await start();
    const gate = await startGate();
    const held = shop.call("hold", gate);
    await gate.call("someone");
    await expect(system.upgrade(shop, second, { timeoutMs: 1_000 })).rejects.toMatchObject({
      code: "ERR_INIT_TIMEOUT",
      stage: "waiting for the message being handled",
    });
    await gate.call("open");
    await held;
    expect(await shop.call("version")).toBe(1);
  });

  // Promise: fails-former-code-goes
  test("the actor crashes meanwhile, and is restarted with its former code", async () => {
    const { system, shop, startGate } = await start();
    const gate = await startGate();
    await shop.cast("hold", gate);
    await gate.call("someone");
    await shop.cast("crash");
    const upgraded = system.upgrade(shop, module("change-hangs"), { timeoutMs: 60_000 });
    const outcome = expect(upgraded).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
    system.exit(shop, "kill");
    await outcome;
    expect(await shop.call("version")).toBe(1);
  });

  test("the actor is stopped meanwhile", async () => {
    const { system, shop } = await start();
    const outcome = expect(system.upgrade(shop, module("change-hangs"), { timeoutMs: 60_000 })).rejects.toMatchObject({
      code: "ERR_CALL_EXIT",
      message: expect.stringContaining("stopping"),
    });
    await system.terminateChild("shop");
    await outcome;
  });

  test("another upgrade is under way", async () => {
    const { system, shop, now } = await start();
    const upgraded = system.upgrade(shop, second);
    await expect(system.upgrade(shop, second)).rejects.toMatchObject({ code: "ERR_RUNNING" });
    await upgraded;
    expect(await now.call("version")).toBe(2);
  });

  test("the actor does not run", async () => {
    const { system, shop } = await start();
    await system.terminateChild("shop");
    await expect(system.upgrade(shop, second)).rejects.toMatchObject({ code: "ERR_NOPROC" });
    await expect(system.upgrade(shop, 7 as never)).rejects.toThrow("module");
  });
});

test("what is asked of an actor while it is upgraded is answered by whichever code it has then", async () => {
  const { system, shop } = await start();
  const asked: Promise<unknown>[] = [];
  for (let round = 0; round < 3; round++) {
    let done = false;
    const upgraded = system.upgrade(shop, round === 1 ? module("back") : second).then(() => {
      done = true;
    });
    while (!done) {
      asked.push(system.getState(shop), system.suspend(shop), system.resume(shop));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await upgraded;
  }
  for (const state of await Promise.all(asked)) if (state !== undefined) expect(state).toHaveProperty("notes");
  expect(await shop.call("version")).toBe(2);
});

test("a system that stops in the middle of an upgrade stops in order", async () => {
  for (const turns of [0, 1, 5, 20, 60]) {
    const { system, shop } = await start();
    const sold = shop.call("sell", "a").catch(() => {});
    const upgraded = system.upgrade(shop, second).catch((error: { code: string }) => error.code);
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    const report = await system.stop();
    expect(report).toMatchObject({ killed: false, zombie: false, dropped: 0 });
    await sold;
    expect([undefined, "ERR_CALL_EXIT"]).toContain(await upgraded);
  }
});
