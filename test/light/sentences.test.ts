import type { ActorSpec, ThreadsOptions } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { codeOf, lightMembers } from "./members.js";

const members = (threads: ThreadsOptions = {}, template: Partial<ActorSpec> = {}) =>
  lightMembers({ threads, template });

test("a turn handles at most 16 messages of one light actor, then it is the next one's", async () => {
  const { start } = await members({}, { mailbox: { capacity: 1024 } });
  const [a, b, c] = [await start("a"), await start("b"), await start("c")];
  await c.call("fill", [a, b], 40);
  await Promise.all([a.call("echo", 1), b.call("echo", 1)]);
  const order = (await c.call("letGo")) as string[];
  expect(order).toHaveLength(80);
  const runs: number[] = [];
  // Who is left alone has turn after turn.
  const both = order.slice(0, Math.min(order.lastIndexOf("a"), order.lastIndexOf("b")) + 1);
  both.forEach((name, i) => {
    if (both[i - 1] === name) runs[runs.length - 1]++;
    else runs.push(1);
  });
  // A turn ends earlier when it is time for the event loop.
  expect(Math.max(...runs)).toBeLessThanOrEqual(16);
});

test("what waits in a partition has one budget: when it is used up every member counts as full", async () => {
  const { start, supervisor } = await members(
    { queueBytes: 65_536 },
    { mailbox: { capacityBytes: 2 ** 20, overflow: "reject" } },
  );
  const [a, b, c] = [await start("a"), await start("b"), await start("c")];
  const busy = [a.call("hold", "a"), b.call("hold", "b")];
  await eventually(() => a.stats().mailbox.handled + b.stats().mailbox.handled === 2);
  const bytes = new Uint8Array(10_000);
  for (let i = 0; i < 6; i++) expect(a.tryCast("note", bytes)).toBe("ok");
  // The partition's ring may be full for a moment, which says the same: what waits on its heap is the budget.
  await eventually(() => {
    a.tryCast("note", bytes);
    return supervisor.partitions()[0].queuedBytes >= 65_536;
  });
  expect(a.tryCast("note", 1)).toBe("full");
  expect(b.tryCast("note", 1)).toBe("full");
  expect(await b.cast("note", 1).catch(codeOf)).toBe("ERR_MAILBOX_FULL");
  // Not even what would let them go has room.
  expect(c.tryCast("release", "a")).toBe("full");
  expect(b.stats().mailbox.length).toBe(0);
  void Promise.allSettled(busy);
});

test("more casts that were not awaited than its own capacity are refused at once", async () => {
  const { start } = await members({ count: 2, place: "round_robin" });
  const sender = await start("sender", undefined, { mailbox: { capacity: 3 } });
  const far = await start("far", undefined, { mailbox: { capacity: 1 } });
  const near = await start("near", undefined, { mailbox: { capacity: 1 } });
  const [farHelper, nearHelper] = [await start("far helper"), await start("near helper")];
  for (const [to, helper] of [
    [near, nearHelper],
    [far, farHelper],
  ] as const) {
    const busy = to.call("hold", "held");
    await eventually(() => to.stats().mailbox.handled === 1);
    await sender.call("castAndForget", to, 10);
    await eventually(async () => (await sender.call("notes")).length === 6);
    expect(await sender.call("notes")).toEqual(Array(6).fill("ERR_MAILBOX_FULL"));
    await sender.call("forget");
    await eventually(async () => (await helper.call("release", "held")) === true);
    await busy;
    await eventually(async () => JSON.stringify(await to.call("notes")) === "[0,1,2,3]");
  }
});

test("light actors that await each other in a circle end by their timeouts", async () => {
  const { start } = await members({}, { callTimeoutMs: 200 });
  const [a, b] = [await start("a"), await start("b")];
  const error = await a
    .with({ timeoutMs: 20_000 })
    .call("forward", b, "forward", a, "echo", 1)
    .catch((e: { code: string; reason: { error: { code: string } } }) => e);
  expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "error" } });
  expect(["ERR_CALL_TIMEOUT", "ERR_CALL_EXIT"]).toContain(
    (error as { reason: { error: { code: string } } }).reason.error.code,
  );
});

test("the DOWN of a light actor comes after its replies", async () => {
  const { system, start } = await members();
  const a = await start("a");
  let settled = 0;
  const down = new Promise<void>((resolve) => system.monitor(a, () => resolve()));
  // What was settled before the DOWN has been counted by now.
  const atDown = down.then(() => settled);
  const calls = Array.from({ length: 500 }, (_, i) => a.call("echo", i).then(() => settled++));
  void a.call("stop").then(() => settled++);
  expect(await atDown).toBe(501);
  await Promise.all(calls);
});

test("what an actor leaves behind when it lets its things go is not charged to the one that has ended it", async () => {
  const { start, supervisor } = await members();
  const [a, b] = [await start("a", { rejects: true }), await start("b")];
  await b.call("kill", a);
  await eventually(() => supervisor.countChildren().active === 1);
  // A rejection that nothing awaits is told before the next message.
  expect(await b.call("echo", 1)).toBe(1);
  expect(await b.call("echo", 2)).toBe(2);
});
