import { expect, test } from "vitest";
import type Talker from "../fixtures/talker.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture } from "../support/system.js";
import { heldWorker } from "./held-worker.js";

// For actors with a thread of their own. A light actor's mailbox is on its partition's heap: what is large counts there
// with all its bytes, and what an overflow policy drops is counted by the partition, in its own time. The rest needs a
// restart, see light/refusals. What the bounds of a light actor are is tested by light/members.

// Promise: messages-sender-receiver-handled
test("a message over a quarter of the mailbox keeps its place in the order", async () => {
  const { log, gate, worker } = await heldWorker("in threads of their own", { mailbox: { capacityBytes: 4096 } });
  const large = "x".repeat(100_000);
  await worker.cast("take", 1);
  await worker.cast("take", large);
  await worker.cast("take", 2);
  await gate.cast("open");
  expect(await log.call("untilCount", 3)).toEqual([1, large, 2]);
});

// Promise: accepted-message-disappears-without
test("under drop_oldest, a full mailbox keeps the latest messages, and what it drops is counted and dead-lettered", async () => {
  const { system, log, gate, worker } = await heldWorker("in threads of their own", {
    mailbox: { capacity: 3, overflow: "drop_oldest" },
  });
  const dead: string[] = [];
  system.on("dead_letter", ({ method, why }) => dead.push(`${method} ${why}`));
  for (let i = 0; i < 10; i++) expect(worker.tryCast("take", i)).toBe("ok");
  expect(system.stats(worker).mailbox).toMatchObject({ length: 3, dropped: 7 });
  expect(dead).toEqual(Array(7).fill("take dropped"));
  await gate.cast("open");
  expect(await log.call("untilCount", 3)).toEqual([7, 8, 9]);
});

test("under drop_oldest, the latest messages get through while a handler is busy for many rounds of the ring", async () => {
  const { log, gate, worker } = await heldWorker("in threads of their own", {
    mailbox: { capacityBytes: 4096, overflow: "drop_oldest" },
  });
  const last = 5_000;
  for (let i = 0; i <= last; i++) await worker.cast("take", i);
  await gate.cast("open");
  const taken = (await log.call("untilCount", 10)) as number[];
  expect(taken[0]).toBeGreaterThan(last - 110);
  await worker.call("ready");
  const all = (await log.call("entries")) as number[];
  expect(all.at(-1)).toBe(last);
  expect(all).toEqual(all.map((_, i) => all[0] + i));
});

// Promise: full-mailbox-makes-senders
test("under drop_newest, what finds the mailbox full is dropped, counted and dead-lettered", async () => {
  const { system, log, gate, worker } = await heldWorker("in threads of their own", {
    mailbox: { capacity: 2, overflow: "drop_newest" },
  });
  const dead: string[] = [];
  system.on("dead_letter", ({ id, method, why }) => dead.push(`${id} ${method} ${why}`));
  for (let i = 0; i < 4; i++) await worker.cast("take", i);
  expect(system.stats(worker).mailbox.dropped).toBe(2);
  expect(dead).toEqual([`${worker.id} take dropped`, `${worker.id} take dropped`]);
  await gate.cast("open");
  expect(await log.call("untilCount", 2)).toEqual([0, 1]);
});

test("large messages that were queued at a crash are handled by the next incarnation", async () => {
  const { log, gate, worker } = await heldWorker("in threads of their own", { mailbox: { capacityBytes: 4096 } });
  const large = "x".repeat(100_000);
  await worker.cast("exitOnce");
  await worker.cast("take", large);
  await worker.cast("take", 2);
  await gate.cast("open");
  expect(await log.call("untilCount", 2)).toEqual([large, 2]);
});

test("a large message in flight at a crash is delivered again while it has deliveries left", async () => {
  const { log, gate, worker } = await heldWorker("in threads of their own", {
    maxDeliveries: 3,
    mailbox: { capacityBytes: 4096 },
  });
  const large = "x".repeat(100_000);
  await worker.cast("takeOrCrash", large, [1, 2]);
  await worker.cast("take", 2);
  await gate.cast("open");
  expect(await log.call("untilCount", 2)).toEqual([large, 2]);
});

test("under drop_oldest, the message in flight at a crash is delivered again, first in the queue", async () => {
  const { log, gate, worker } = await heldWorker("in threads of their own", {
    maxDeliveries: 3,
    mailbox: { capacity: 8, overflow: "drop_oldest" },
  });
  await worker.cast("takeOrCrash", "again", [1, 2]);
  await worker.cast("take", "after");
  await gate.cast("open");
  expect(await log.call("untilCount", 2)).toEqual(["again", "after"]);
});

// Promise: was-accepted-crash-handled
test("what was queued at a crash is handled by the next incarnation, in order, and the message in flight is not", async () => {
  const { system, log, gate, worker } = await heldWorker("in threads of their own");
  const dead: string[] = [];
  system.on("dead_letter", ({ method, why }) => dead.push(`${method} ${why}`));
  await worker.cast("takeOrCrash", "in flight", [1, 2, 3]);
  await worker.cast("take", 1);
  await worker.cast("take", 2);
  await gate.cast("open");
  expect(await log.call("untilCount", 2)).toEqual([1, 2]);
  expect(dead).toEqual(["takeOrCrash in_flight"]);
});

// Promise: maxdeliveries-n-message-flight
test("under maxDeliveries 3 the message in flight is handled again by the next incarnation, first in the queue", async () => {
  const { log, gate, worker } = await heldWorker("in threads of their own", { maxDeliveries: 3 });
  await worker.cast("takeOrCrash", "again", [1, 2]);
  await worker.cast("take", "after");
  await gate.cast("open");
  expect(await log.call("untilCount", 2)).toEqual(["again", "after"]);
});

// Promise: maxdeliveries-n-message-flight
test("a message that crashes the actor every time is dead-lettered after its last delivery", async () => {
  const { system, log, gate, worker } = await heldWorker("in threads of their own", { maxDeliveries: 2 });
  const dead: string[] = [];
  system.on("dead_letter", ({ method, why }) => dead.push(`${method} ${why}`));
  await worker.cast("takeOrCrash", "poison", [1, 2, 3, 4]);
  await worker.cast("take", "after");
  await gate.cast("open");
  expect(await log.call("untilCount", 1)).toEqual(["after"]);
  expect(dead).toEqual(["takeOrCrash in_flight"]);
  expect(system.stats(worker).incarnation).toBe(3);
});

test("a call in flight at a crash is answered by the next incarnation while it has deliveries left", async () => {
  const { gate, worker } = await heldWorker("in threads of their own", { maxDeliveries: 2 });
  const call = worker.call("takeOrCrash", "x", [1]);
  await gate.cast("open");
  expect(await call).toBeUndefined();
});

// Promise: calls-were-queued-crash
test("calls that were queued at a crash are answered by the next incarnation", async () => {
  const { gate, worker } = await heldWorker("in threads of their own");
  await worker.cast("exitOnce");
  const calls = Promise.all([worker.call("ready"), worker.call("ready")]);
  await gate.cast("open");
  expect(await calls).toEqual([undefined, undefined]);
});

// Promise: accepted-message-disappears-without
test("under onRestart drop, what was queued at a crash is dead-lettered and its calls reject", async () => {
  const { system, gate, worker } = await heldWorker("in threads of their own", { mailbox: { onRestart: "drop" } });
  const dead: string[] = [];
  system.on("dead_letter", ({ method, why }) => dead.push(`${method} ${why}`));
  await worker.cast("exitOnce");
  await worker.cast("take", 1);
  const call = worker.call("ready").catch((e: unknown) => e);
  await gate.cast("open");
  expect(await call).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "exit_called", code: 7 } });
  expect(dead).toEqual(["exitOnce in_flight", "take queued", "ready queued"]);
  expect(await worker.call("ready")).toBeUndefined();
});

test("messages sent while the actor is being restarted wait for it", async () => {
  const { system, log, gate, worker } = await heldWorker("in threads of their own");
  const exited = new Promise((resolve) => system.on("actor_exited", resolve));
  await worker.cast("exitOnce");
  await gate.cast("open");
  await exited;
  expect(worker.tryCast("take", "meanwhile")).toBe("ok");
  expect(await log.call("untilCount", 1)).toEqual(["meanwhile"]);
});

test.each(["block", "reject", "drop_newest", "drop_oldest"] as const)(
  "a full mailbox that %s is told of once, however many find it full, and again after it was empty",
  async (overflow) => {
    const { system, gate, log, worker } = await heldWorker("in threads of their own", {
      mailbox: { capacity: 4, overflow },
    });
    const told: unknown[] = [];
    system.on("mailbox_full", ({ id, method, length }) => told.push({ id, method, length }));
    const casts = Array.from({ length: 8 }, (_, i) => worker.cast("take", i).catch(() => {}));
    expect(told).toEqual([{ id: "root/worker", method: "take", length: 4 }]);
    await gate.cast("open");
    await Promise.all(casts);
    await log.call("untilCount", 4);
    await worker.call("ready");
    // Whether there is room again is looked for every second; until then a full mailbox is the one already told of.
    const fill = () => {
      for (let i = 0; i < 5 && told.length === 1; i++) void worker.cast("take", i).catch(() => {});
      return told.length === 2;
    };
    await eventually(fill);
  },
);

test("an actor that finds another's mailbox full tells of it too", async () => {
  const { system, worker } = await heldWorker("in threads of their own", {
    mailbox: { capacity: 4, overflow: "drop_newest" },
  });
  const told: string[] = [];
  system.on("mailbox_full", ({ id }) => told.push(id));
  const talker = await system.startChild<typeof Talker>({ id: "talker", actor: fixture("talker") });
  await talker.call("count", worker, 8);
  await eventually(() => told.length === 1);
  expect(told).toEqual(["root/worker"]);
});
