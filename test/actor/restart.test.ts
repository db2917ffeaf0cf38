import { type ExitReason, supervisor } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type Lingering from "./fixtures/lingering.actor.js";

async function counterSystem(restart: "permanent" | "transient" | "temporary" = "permanent") {
  const system = await testSystem({ intensity: 100 });
  const counter = await system.startChild<typeof Counter>({
    id: "counter",
    actor: fixture("counter"),
    restart,
    args: { start: 10 },
  });
  const reasons: ExitReason[] = [];
  system.on("actor_exited", ({ reason }) => reasons.push(reason));
  return { system, counter, reasons };
}

// Promise: handler-throws-ends-actor
test("an actor that throws is restarted with fresh state, and its exit reason is the error", async () => {
  const { counter, reasons } = await counterSystem();
  await counter.call("add", 5);
  await counter.call("crash", "boom").catch(() => {});
  expect(await counter.call("get")).toBe(10);
  expect(await counter.call("incarnation")).toBe(2);
  expect(reasons).toMatchObject([{ kind: "error", error: { name: "TypeError", message: "boom" } }]);
});

// Promise: process-exit-actor-exit-called
test("an actor that calls process.exit is restarted, and its exit reason is exit_called with the code", async () => {
  const { counter, reasons } = await counterSystem();
  await counter.call("exit", 0).catch(() => {});
  await counter.call("exit", 3).catch(() => {});
  expect(await counter.call("incarnation")).toBe(3);
  expect(reasons).toEqual([
    { kind: "exit_called", code: 0 },
    { kind: "exit_called", code: 3 },
  ]);
});

test("an actor that reaches its heap cap is restarted, and its exit reason is heap_cap_exceeded", async () => {
  const { counter, reasons } = await counterSystem();
  await counter
    .with({ timeoutMs: 30_000 })
    .call("leak")
    .catch(() => {});
  expect(await counter.call("incarnation")).toBe(2);
  expect(reasons).toMatchObject([{ kind: "heap_cap_exceeded", heapCapMb: 64 }]);
});

test("an actor that loops for ever can be killed, and others do not notice", async () => {
  const { system, counter, reasons } = await counterSystem();
  const other = await system.startChild<typeof Counter>({ id: "other", actor: fixture("counter") });
  const spinning = counter
    .with({ timeoutMs: 60_000 })
    .call("spin")
    .catch((e: unknown) => e);
  // A message that was not begun waits for the next incarnation.
  await eventually(() => system.stats(counter).handling?.method === "spin");
  expect(await other.call("add", 1)).toBe(1);
  system.exit(counter, "kill");
  expect(await spinning).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "killed" } });
  expect(await counter.call("incarnation")).toBe(2);
  expect(reasons).toEqual([{ kind: "killed" }]);
});

// Promise: reply-seen-restarts-follows
test("a reply comes after the restarts that it follows, also those of the supervisors above", async () => {
  const system = await testSystem({ intensity: 10 });
  const spec = { id: "counter", actor: fixture("counter") };
  const inner = await system.startChild(supervisor({ id: "inner", intensity: 0, children: [spec] }));
  const counter = inner.child("counter");
  const order: string[] = [];
  system.on("actor_restarted", ({ id }) => order.push(id));
  const off = system.on("actor_exited", ({ id }) => {
    if (id !== inner.id) return;
    off();
    const { handled } = system.stats(counter).mailbox;
    setImmediate(() => {
      // Busy on purpose, until the thread has started and answered, so that main learns of both at once.
      const until = performance.now() + 10_000;
      while (system.stats(counter).mailbox.handled === handled && performance.now() < until);
    });
  });
  await counter.call("crash", "boom").catch(() => {});
  await counter.with({ timeoutMs: 60_000 }).call("incarnation");
  order.push("reply");
  await eventually(() => order.includes("root/inner"));
  expect(order).toEqual(["root/inner", "reply"]);
});

test("a temporary actor is not restarted, and its calls reject with ERR_NOPROC", async () => {
  const { system, counter } = await counterSystem("temporary");
  await counter.call("crash", "x").catch(() => {});
  expect(await counter.call("get").catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC" });
  expect(system.whichChildren()).toEqual([]);
});

// Promise: over-limit-remaining-children
test("a child that fails more often than the intensity allows ends the system", async () => {
  const system = await testSystem({ intensity: 2, periodMs: 60_000 });
  const counter = await system.startChild<typeof Counter>({ id: "counter", actor: fixture("counter") });
  for (let i = 0; i < 3; i++) await counter.call("crash", `crash ${i}`).catch(() => {});
  expect(await system.terminated).toMatchObject({
    kind: "shutdown",
    detail: { kind: "reached_max_restart_intensity", reason: { error: { message: "crash 2" } } },
  });
});

test("a start that fails rejects with the error of init and leaves no child behind", async () => {
  const system = await testSystem();
  const missing = new URL("./nowhere.actor.js", import.meta.url);
  const error = await system.startChild({ id: "x", actor: missing }).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "ERR_ACTOR_MODULE" });
  expect((error as Error).message).toContain("nowhere.actor.ts");
  expect(system.whichChildren()).toEqual([]);
});

test("a module that is no actor is refused with ERR_ACTOR_MODULE", async () => {
  const system = await testSystem();
  const start = system.startChild({ id: "x", actor: new URL("../support/eventually.js", import.meta.url) });
  expect(await start.catch((e: unknown) => e)).toMatchObject({ code: "ERR_ACTOR_MODULE" });
});

// Promise: init-over-time-killed
test("[start] a start that takes longer than startTimeoutMs is killed and rejects with ERR_INIT_TIMEOUT", async () => {
  const system = await testSystem();
  const gate = await system.startChild({ id: "gate", actor: fixture("gate") });
  const start = system.startChild({ id: "x", actor: fixture("worker"), args: { initGate: gate }, startTimeoutMs: 300 });
  expect(await start.catch((e: unknown) => e)).toMatchObject({ code: "ERR_INIT_TIMEOUT" });
  expect(system.whichChildren().map(({ id }) => id)).toEqual(["gate"]);
});

test("a caller that has a reply of an actor's next incarnation has heard of its restart", async () => {
  const system = await testSystem({ intensity: 100 });
  const counter = await system.startChild<typeof Counter>({ id: "counter", actor: fixture("counter") });
  const heard: number[] = [];
  system.on("actor_restarted", ({ incarnation }) => heard.push(incarnation));
  for (let incarnation = 2; incarnation <= 20; incarnation++) {
    await counter.call("crash", "x").catch(() => {});
    expect(await counter.call("incarnation")).toBe(incarnation);
    expect(heard.at(-1)).toBe(incarnation);
    expect(system.stats(counter)).toMatchObject({ state: "running", incarnation });
  }
});

// Promise: thread-said-exits-killed
test("an actor whose thread does not end its exit is started again, and its exit reason is its own", async () => {
  const system = await testSystem({ intensity: 100 });
  const actor = new URL("./fixtures/lingering.actor.js", import.meta.url);
  const lingering = await system.startChild<typeof Lingering>({ id: "lingering", actor });
  const reasons: ExitReason[] = [];
  system.on("actor_exited", ({ reason }) => reasons.push(reason));
  await lingering.call("linger");
  await lingering.call("crash").catch(() => {});
  expect(await lingering.with({ timeoutMs: 20_000 }).call("incarnation")).toBe(2);
  expect(reasons).toMatchObject([{ kind: "error", error: { message: "crash" } }]);
});
