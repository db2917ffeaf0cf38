import type { ActorRef, ActorSpec, ThreadsOptions } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { lightName } from "#runtime/signals/light-name.js";
import { ProcessSignals } from "#runtime/signals/process-signals.js";
import { Timers } from "#worker-host/loop/timers.js";
import { eventually } from "../support/eventually.js";
import type Member from "./fixtures/member.actor.js";
import { actor, codeOf, lightMembers } from "./members.js";

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

test("the event loop gets its turn every few ms, however many messages wait", async () => {
  const { start } = await members({}, { mailbox: { capacity: 4_096 }, handlerTimeoutMs: Infinity });
  const [a, b, c] = [await start("a"), await start("b"), await start("c")];
  await c.call("countTurns");
  await Promise.all([a.cast("keepBusy", b, 200), b.cast("keepBusy", a, 200)]);
  await eventually(async () => ((await c.call("notes")) as unknown[]).length === 1);
  const [{ turns, tookMs }] = (await c.call("notes")) as [{ turns: number; tookMs: number }];
  // 200 000 messages take more than 100 ms of the thread's own time. Without turns of the event loop there is one, at the end.
  expect({ turns, tookMs, isOften: turns > 5 }).toMatchObject({ isOften: true });
});

test("to set a timer anew costs the same whatever number of timers the partition has", () => {
  const costOf = (count: number): number => {
    const timers = new Timers();
    const ids = Array.from({ length: count }, (_, i) => timers.add(0, 10_000 + i, 0, "tick", []));
    const REARMS = 20_000;
    const costs = Array.from({ length: 5 }, () => {
      const from = performance.now();
      for (let i = 0; i < REARMS; i++) {
        const at = (i * 7_919) % count;
        timers.cancel(ids[at]);
        ids[at] = timers.add(0, 10_000 + i, 0, "tick", []);
      }
      return performance.now() - from;
    });
    return Math.min(...costs);
  };
  costOf(1_000);
  // A hundred times as many: a walk over them would cost a hundred times as much.
  expect(costOf(100_000) / costOf(1_000)).toBeLessThan(20);
});

test("a stop and an exit signal end a light actor before what waits in its own mailbox", async () => {
  const { system, supervisor, start } = await members({}, { mailbox: { capacity: 1_024 }, shutdown: "brutal_kill" });
  const [a, b] = [await start("a"), await start("b")];
  for (const ref of [a, b]) for (let i = 0; i < 500; i++) await ref.cast("slow", 2);
  const down = new Promise<string>((told) => system.monitor(a, ({ reason }) => told(reason.kind)));
  system.exit(a, { kind: "shutdown" });
  expect(await down).toBe("shutdown");
  await supervisor.terminateChild("b");
  expect(await b.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
});

test("the context of a life that has ended throws ERR_NOPROC, and its signal is aborted", async () => {
  const { start } = await members();
  const [a, b] = [await start("a"), await start("b")];
  const held = a.call("outlive", "a").catch(codeOf);
  await eventually(() => a.stats().mailbox.handled === 1);
  await b.call("kill", a);
  expect(await held).toBe("ERR_CALL_EXIT");
  await b.call("release", "a");
  await eventually(async () => {
    const [last] = (await b.call("letGo")) as string[];
    return last === "true ERR_NOPROC,ERR_NOPROC,ERR_NOPROC,ERR_NOPROC";
  });
});

test("the DOWNs of one partition's end reach each watcher in order, and together", async () => {
  const { system, supervisor, start } = await members({ count: 2, place: "round_robin" }, { handlerTimeoutMs: 60_000 });
  const [far, near] = [await start("far"), await start("near")];
  const own = await system.startChild<typeof Member>({ id: "own", actor });
  const all = (await supervisor.startChildren(
    Array.from({ length: 3_000 }, (_, i) => ({ id: `m${i}`, sameThreadAs: near })),
  )) as ActorRef<typeof Member>[];
  const watchers = [far, own];
  await Promise.all(watchers.map((ref) => ref.call("monitorAll", all)));
  for (const ref of watchers) await system.getState(ref as never);
  await (supervisor.partitions()[0].ref as ActorRef).call("nothing").catch(() => {});
  await near.cast("exit", 1);
  for (const ref of watchers) await eventually(async () => (await ref.call("told")).length === 3_000);
  for (const ref of watchers) {
    expect(await ref.call("told")).toEqual(all.map((_ref, i) => `DOWN m${i} partition_ended`));
  }
});

test("what a process is told of many ends at once is one message", () => {
  const told: unknown[][] = [];
  const watcher = {
    id: "root/watcher",
    ref: { uid: 7, id: "root/watcher" } as never,
    kill: () => {},
    info: (message: unknown) => void told.push([message]),
    infos: (messages: readonly unknown[]) => void told.push([...messages]),
  };
  const signals = new ProcessSignals({
    byUid: () => undefined,
    byPath: (id: string) => (id === watcher.id ? watcher : undefined),
    refTo: ({ uid, id }: { uid: number; id: string }) => ({ uid, id }),
    lightPath: ({ id, uid }: { id: string; uid: number }) => lightName({ id, uid, address: -1, life: 1 }),
  } as never);
  signals.started(watcher);
  const light = (uid: number) => ({ id: `root/members/m${uid}`, uid, address: -1 });
  for (let uid = 1; uid <= 100; uid++) {
    signals.handle(watcher, { type: "monitor", monitor: uid, target: light(uid) } as never);
  }
  signals.together(() => {
    for (let uid = 1; uid <= 100; uid++) {
      const name = lightName({ ...light(uid), life: 1 });
      signals.lightEnded(name, { id: light(uid).id, ref: {} as never }, { kind: "killed" });
    }
  });
  expect(told).toHaveLength(1);
  expect(told[0].map((message) => (message as { monitor: number }).monitor)).toEqual([...Array(101).keys()].slice(1));
});

test("the report of stop() counts members, and names those that were killed", async () => {
  const { system, start } = await members({ count: 2, place: "round_robin" }, { shutdown: 500 });
  const all = await Promise.all(Array.from({ length: 10 }, (_, i) => start(`m${i}`)));
  void all[0].call("hold", "for ever").catch(() => {});
  await eventually(() => all[0].stats().mailbox.handled === 1);
  const { children } = await system.stop();
  expect(children).toMatchObject([
    { id: "root/members", killed: true, members: { stopped: 9, killed: 1, killedIds: ["root/members/m0"] } },
  ]);
});
