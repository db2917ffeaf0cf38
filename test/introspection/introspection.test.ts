import { supervisor } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import type Gate from "../fixtures/gate.actor.js";
import { fixture, testSystem } from "../support/system.js";

async function counterSystem() {
  const system = await testSystem();
  const counter = await system.startChild<typeof Counter>({ id: "counter", actor: fixture("counter") });
  return { system, counter };
}

// Promise: suspended-actor-answers-system
test("[suspend] a suspended actor answers system requests only; its messages wait until resume", async () => {
  const { system, counter } = await counterSystem();
  await system.suspend(counter);
  const call = counter.call("add", 1);
  expect(await system.getState(counter)).toEqual({ count: 0 });
  expect(system.stats(counter).mailbox.length).toBe(1);
  await system.resume(counter);
  expect(await call).toBe(1);
});

test("a suspended actor still stops, after it has handled what it had accepted", async () => {
  const { system, counter } = await counterSystem();
  await system.suspend(counter);
  const call = counter.call("add", 1);
  await system.terminateChild("counter");
  expect(await call).toBe(1);
});

// Promise: getstate-replacestate-suspend-resume
test("[get_state] getState is answered while messages wait", async () => {
  const { system, counter } = await counterSystem();
  for (let i = 0; i < 500; i++) await counter.cast("add", 1);
  const { count } = await system.getState(counter);
  expect(count).toBeLessThanOrEqual(500);
});

// Promise: replacestate-fails-changes-nothing
test("[replace_state] replaceState puts a new state in place, and a state that cannot be carried changes nothing", async () => {
  const { system, counter } = await counterSystem();
  await system.replaceState(counter, { count: 41 });
  expect(await counter.call("add", 1)).toBe(42);
  const refused = await system.replaceState(counter, { count: () => {} }).catch((e: unknown) => e);
  expect(refused).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
  expect(await system.getState(counter)).toEqual({ count: 42 });
});

test("a state that cannot be carried is ERR_NOT_CLONEABLE, and the actor goes on", async () => {
  const { system } = await counterSystem();
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const waiting = gate.call("pass");
  await gate.call("someone");
  expect(await system.getState(gate).catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOT_CLONEABLE" });
  await gate.cast("open");
  await waiting;
});

test("requests about an actor that is gone reject with ERR_NOPROC", async () => {
  const { system, counter } = await counterSystem();
  await system.terminateChild("counter");
  expect(await system.getState(counter).catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC" });
  await system.deleteChild("counter");
  expect(await system.suspend(counter).catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC" });
  expect(() => system.stats(counter)).toThrow(expect.objectContaining({ code: "ERR_NOPROC" }));
});

test("the tree shows supervisors, their children in start order, and actors' stats", async () => {
  const { system } = await counterSystem();
  await system.startChild(
    supervisor({
      id: "sup",
      children: [
        { id: "x", actor: fixture("counter") },
        { id: "y", actor: fixture("counter") },
      ],
    }),
  );
  const tree = system.tree();
  expect(tree).toMatchObject({
    id: "root",
    type: "supervisor",
    state: "running",
    children: [
      { id: "root/counter", type: "worker", state: "running", stats: { incarnation: 1 } },
      { id: "root/sup", type: "supervisor", children: [{ id: "root/sup/x" }, { id: "root/sup/y" }] },
    ],
  });
});

test("stats of an actor that has stopped name nothing it is handling", async () => {
  const { system, counter } = await counterSystem();
  await system.terminateChild(counter.id.slice("root/".length));
  expect(system.stats(counter)).toMatchObject({ state: "stopped", handling: null });
});

// Promise: stats-answer-hung-actor
test("stats answer for an actor that is hung, and name what it is handling", async () => {
  const { system, counter } = await counterSystem();
  await counter.cast("spin");
  await counter.cast("add", 1);
  const deadline = performance.now() + 10_000;
  while (system.stats(counter).handling === null && performance.now() < deadline);
  expect(system.stats(counter)).toMatchObject({ handling: { method: "spin" }, mailbox: { length: 1 } });
});

test("events are told in order, to listeners and to the stream", async () => {
  const { system, counter } = await counterSystem();
  const abort = new AbortController();
  const streamed: string[] = [];
  const stream = (async () => {
    for await (const { event } of system.events({ signal: abort.signal })) streamed.push(event);
  })();
  const restarted = new Promise((resolve) => system.on("actor_restarted", resolve));
  await counter.cast("crash", "x");
  expect(await restarted).toMatchObject({
    id: "root/counter",
    incarnation: 2,
    attempt: 1,
    delayMs: 0,
    reason: { kind: "error" },
  });
  await counter.call("get");
  abort.abort();
  await stream;
  expect(streamed).toEqual(["actor_exited", "dead_letter", "actor_started", "actor_restarted"]);
});
