import {
  type ActorRef,
  type ActorSpec,
  dynamicSupervisor,
  type PartitionedSupervisorRef,
  type SystemEvents,
  type ThreadsOptions,
} from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";
import { actor, codeOf, lightMembers } from "./members.js";

type Members = PartitionedSupervisorRef<any>;

const members = (threads: ThreadsOptions = {}, template: Partial<ActorSpec> = {}, more: object = {}) =>
  lightMembers({ threads, template, more, system: { intensity: 100 } });

describe("what ends a partition", () => {
  test.each([
    ["a handler that does not return", "spin", "unresponsive"],
    ["process.exit", "exit", "exit_called"],
  ] as const)(
    "%s ends it: the culprit with the reason, its siblings as partition_ended, and no other partition",
    async (_what, method, kind) => {
      const { system, supervisor, start } = await members(
        { count: 2, place: "round_robin" },
        { handlerTimeoutMs: 1_000 },
      );
      const [a, other, b] = [await start("a"), await start("other"), await start("b")];
      const mark = await other.call("mark");
      const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
      const downs = new Map<string, unknown>();
      for (const ref of [a, b, other]) system.monitor(ref, ({ id, reason }) => downs.set(id, reason));
      // In the queue of a sibling, and in that of the culprit.
      const never = b
        .with({ timeoutMs: 60_000 })
        .call("never")
        .catch((e: unknown) => e);
      const fromThread = echo
        .with({ timeoutMs: 60_000 })
        .call("forward", b, "waits")
        .catch((e: unknown) => e);
      await eventually(() => b.stats().mailbox.handled >= 1);
      expect(
        await (a as ActorRef)
          .with({ timeoutMs: 60_000 })
          .call(method, 3)
          .catch((e: unknown) => e),
      ).toMatchObject({
        code: "ERR_CALL_EXIT",
        reason: { kind },
      });
      expect(await never).toMatchObject({ code: "ERR_CALL_EXIT" });
      expect(await fromThread).toMatchObject({ code: "ERR_CALL_EXIT" });
      await eventually(() => downs.size === 2);
      expect(downs.get("root/members/a")).toMatchObject({ kind });
      expect(downs.get("root/members/b")).toMatchObject({ kind: "partition_ended", reason: { kind } });
      expect(await other.call("mark")).toBe(mark);
      // An empty partition takes its place.
      expect(await b.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
      const again = await start("a", undefined, {});
      expect(await again.call("echo", "anew")).toBe("anew");
      expect(
        supervisor
          .whichChildren()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(["a", "other"]);
    },
  );

  test("a handler that does not return is found within the timeout of the actor that is in it", async () => {
    const { start } = await members({}, { handlerTimeoutMs: 60_000 });
    const a = await start("a", undefined, { handlerTimeoutMs: 200 });
    expect(
      await a
        .with({ timeoutMs: 60_000 })
        .call("spin")
        .catch((e: unknown) => e),
    ).toMatchObject({
      code: "ERR_CALL_EXIT",
      reason: { kind: "unresponsive", method: "spin" },
    });
  });

  test.each([
    ["microtasks without end", (ref: ActorRef<typeof Member>) => ref.cast("spinMicrotasks")],
    ["a timer's callback that does not return", (ref: ActorRef<typeof Member>) => ref.cast("spinLater", "timer")],
    ["what does not return after an await", (ref: ActorRef<typeof Member>) => ref.cast("spinLater", "await")],
  ])("%s: found within the timeout of the actor that has left it, which is the culprit", async (_what, spin) => {
    const { system, start } = await members({}, { handlerTimeoutMs: 60_000, restart: "permanent" });
    const a = await start("a");
    const spins = await start("spins", undefined, { handlerTimeoutMs: 300 });
    const ends = Promise.all(
      [a, spins].map((ref) => new Promise<unknown>((told) => system.monitor(ref, ({ reason }) => told(reason)))),
    );
    await spin(spins);
    expect(await ends).toMatchObject([
      { kind: "partition_ended", reason: { kind: "unresponsive" } },
      { kind: "unresponsive", method: "event loop" },
    ]);
  });

  test("what waited in its members is dead-lettered", async () => {
    const { system, start } = await members({}, { handlerTimeoutMs: 1_500 });
    const [a, b] = [await start("a"), await start("b")];
    const never = b.call("never").catch(() => {});
    await eventually(() => b.stats().mailbox.handled === 1);
    for (let i = 0; i < 5; i++) await b.cast("note", i);
    await (a as ActorRef).cast("exit", 1);
    await never;
    await eventually(() => system.stats().deadLetters >= 5);
  });

  test("beyond its intensity the supervisor gives up, and ends of members do not count", async () => {
    const { system, start } = await members({}, {}, { intensity: 1, periodMs: 60_000 });
    for (let i = 0; i < 5; i++) await (await start("a")).call("crash", "x").catch(() => {});
    const escalated = new Promise<void>((told) => system.on("supervisor_escalated", () => told()));
    for (let i = 0; i < 2; i++) {
      const a = (await start("a")) as ActorRef;
      await a.call("exit", 1).catch(() => {});
    }
    await escalated;
  });

  test("the heap cap is the partition's", async () => {
    const { system, start } = await members({ heapCapMb: 48 });
    const [a, b] = [await start("a"), await start("b")];
    const down = new Promise<unknown>((told) => system.monitor(b, ({ reason }) => told(reason)));
    void a.cast("hoard");
    expect(await down).toMatchObject({ kind: "partition_ended", reason: { kind: "heap_cap_exceeded" } });
  });
});

describe("where a child is", () => {
  test('"hash" places by the id, so refOf is computed, and means the actor that has the id at that time', async () => {
    const { system, supervisor, start } = await members({ count: 3, place: "hash" });
    const ref = supervisor.refOf<typeof Member>("dev-7");
    expect(await ref.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
    await start("dev-7");
    expect(await ref.call("echo", 1)).toBe(1);
    const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
    expect(await echo.call("forward", ref, "from a thread")).toBe("from a thread");
    await supervisor.terminateChild("dev-7");
    await start("dev-7");
    expect(await ref.call("echo", 2)).toBe(2);
    const sibling = await start("other");
    expect(await sibling.call("forward", ref, "echo", 3)).toBe(3);
    const down = new Promise<string>((told) => system.monitor(ref, ({ reason }) => told(reason.kind)));
    await ref.call("stop");
    expect(await down).toBe("normal");
  });

  test('"round_robin" takes turns, "least_loaded" the emptiest, sameThreadAs the sibling\'s', async () => {
    const { supervisor, start } = await members({ count: 2, place: "round_robin" });
    const marks = [];
    for (let i = 0; i < 4; i++) marks.push(await (await start()).call("mark"));
    expect(marks[0]).toBe(marks[2]);
    expect(marks[0]).not.toBe(marks[1]);
    const first = await start("first");
    const mark = await first.call("mark");
    for (let i = 0; i < 3; i++)
      expect(await (await start(undefined, undefined, { sameThreadAs: first })).call("mark")).toBe(mark);
    expect(() => supervisor.refOf("a")).toThrow(/place/);
    const least = await members({ count: 2 });
    const [a] = [await least.start("a"), await least.start("b"), await least.start("c")];
    await least.supervisor.terminateChild("a");
    await least.supervisor.terminateChild("c");
    void a;
    expect(
      least.supervisor
        .partitions()
        .map(({ members: n }) => n)
        .sort(),
    ).toEqual([0, 1]);
    await least.start("d");
    expect(least.supervisor.partitions().map(({ members: n }) => n)).toEqual([1, 1]);
  });

  test("perThread is one in each partition, started before the others and again when it ends", async () => {
    const { system, supervisor, start } = await members({ count: 2 }, {}, { perThread: [{ id: "listener", actor }] });
    const one = supervisor.child<typeof Member>("listener@1") as ActorRef<typeof Member>;
    expect(await one.call("echo", 1)).toBe(1);
    expect(supervisor.countChildren().specs).toBe(2);
    await start("a");
    await one.call("crash", "x").catch(() => {});
    await eventually(() => {
      const now = supervisor.child("listener@1");
      return now !== undefined && now.uid !== one.uid;
    });
    expect(await (supervisor.child("listener@1") as ActorRef<typeof Member>).call("echo", 2)).toBe(2);
    // The next thread has its own.
    const zero = supervisor.child("listener@0") as ActorRef;
    await zero.call("exit", 1).catch(() => {});
    await eventually(() => supervisor.child("listener@0") !== undefined);
    await eventually(
      async () => (await (supervisor.child("listener@0") as ActorRef).call("echo", 3).catch(() => 0)) === 3,
    );
    expect(system.stats().deadLetters).toBe(0);
  });
});

describe("a light actor's context", () => {
  test("ctx.spawn starts a sibling, whose init runs before its messages; a failed init is an exit", async () => {
    const { system, supervisor, start } = await members({ count: 2 });
    const a = await start("a");
    const child = (await a.call("spawn", "child", { owns: "y" }, true)) as ActorRef<typeof Member>;
    expect(child.id).toBe("root/members/child");
    expect(await child.call("handedIsShared")).toBe(true);
    expect(await child.call("mark")).toBe(await a.call("mark"));
    await eventually(() => supervisor.child("child") !== undefined);
    expect(
      supervisor
        .whichChildren()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(["a", "child"]);
    await supervisor.terminateChild("child");
    const ended = new Promise<SystemEvents["members_ended"]>((told) =>
      system.on("members_ended", (event) => {
        if (event.reasons.init_failed) told(event);
      }),
    );
    const failing = (await a.call("spawn", "failing", { fails: true }, false)) as ActorRef;
    expect(await failing.call("echo", 1).catch(codeOf)).toMatch(/ERR_CALL_EXIT|ERR_NOPROC/);
    expect((await ended).sample).toMatchObject({ id: "root/members/failing", reason: { kind: "init_failed" } });
  });

  test("what it owns is let go when its life ends, however it ends", async () => {
    const { start } = await members();
    const keeper = await start("keeper");
    for (const [id, end] of [
      ["stopped", (ref: ActorRef) => ref.call("stop")],
      ["crashed", (ref: ActorRef) => ref.call("crash", "x")],
      ["killed", (ref: ActorRef) => keeper.call("kill", ref)],
    ] as const) {
      const a = await start(id, { owns: id });
      await end(a).catch(() => {});
      await eventually(async () => (await keeper.call("letGo")).includes(id));
    }
  });

  test("an emitter's event is a message of the actor: in its turn, and its listener goes with it", async () => {
    const { start } = await members();
    const [a, b] = [await start("a", { listens: "source" }), await start("b")];
    const busy = a.call("after", 30);
    await b.call("emit", "source", "one");
    await b.call("emit", "source", "two");
    await busy;
    expect(await a.call("notes")).toEqual(["one", "two"]);
    expect(await b.call("listeners", "source")).toBe(1);
    await a.call("crash", "x").catch(() => {});
    expect(await b.call("listeners", "source")).toBe(0);
  });

  test("timers, continuations and monitors work in it, and end with its life", async () => {
    const { system, start } = await members({ count: 2, place: "round_robin" });
    const [a, remote, b] = [await start("a"), await start("remote"), await start("b")];
    const own = await system.startChild<typeof Echo>({ id: "own", actor: fixture("echo"), restart: "temporary" });
    const timer = await a.call("later", 60_000, "never");
    expect(await a.call("cancel", timer)).toBe(true);
    await a.call("later", 5, "timer");
    await eventually(async () => (await a.call("notes")).includes("timer"));
    await a.call("next");
    expect(await a.call("notes")).toEqual(["timer", "continued"]);
    await a.call("later", 20, "late");
    for (const ref of [b, remote, own]) await a.call("monitor", ref);
    const off = await a.call("monitor", b);
    await a.call("demonitor", off);
    await b.call("crash", "x").catch(() => {});
    await remote.call("stop");
    system.exit(own, "kill");
    await eventually(async () => (await a.call("told")).length === 3);
    expect([...(await a.call("told"))].sort()).toEqual(["DOWN b error", "DOWN own killed", "DOWN remote normal"]);
    await a.call("monitor", b);
    await eventually(async () => (await a.call("told")).at(-1) === "DOWN b noproc");
  });

  test("an actor with a thread of its own monitors a light one, and may call it while it blocks", async () => {
    const { system, start } = await members();
    const a = await start("a");
    const watcher = await system.startChild<typeof Member>({ id: "watcher", actor });
    await watcher.call("monitor", a);
    expect(await watcher.call("blocks", "callSync", a)).toBe(1);
    await a.call("crash", "x").catch(() => {});
    await eventually(async () => (await watcher.call("told")).length === 1);
    expect(await watcher.call("told")).toEqual(["DOWN a error"]);
    expect(await watcher.call("monitor", a)).toBe(2);
    await eventually(async () => (await watcher.call("told")).at(-1) === "DOWN a noproc");
  });

  test("what would block the thread throws ERR_WRONG_THREAD, and lookup answers in its place", async () => {
    const { system, start } = await members();
    const echo = await system.startChild<typeof Echo>({ id: "echo", name: "echo", actor: fixture("echo") });
    const b = await start("b");
    for (const what of ["callSync", "castSync", "whereis"] as const) {
      const a = await start("a");
      expect(await a.call("blocks", what, echo).catch((e: unknown) => e)).toMatchObject({
        reason: { error: { code: "ERR_WRONG_THREAD" } },
      });
      await eventually(async () => (await a.call("echo", 1).catch(codeOf)) === "ERR_NOPROC");
    }
    expect((await b.call("lookup", "echo"))?.id).toBe("root/echo");
    expect(await b.call("lookup", "nobody")).toBeUndefined();
    expect(await b.call("callMyself").catch((e: unknown) => e)).toMatchObject({
      reason: { error: { code: "ERR_CALLING_SELF" } },
    });
  });
});

describe("the whole", () => {
  test("what belongs to a thread is refused in the template, and named", async () => {
    const system = await testSystem();
    const refused = (spec: object) =>
      system
        .startChild(dynamicSupervisor({ id: "m", threads: {}, ...spec } as never) as never)
        .catch((e: { code: string; field: string }) => `${e.code} ${e.field}`);
    for (const [field, value] of [
      ["heapCapMb", 64],
      ["env", "none"],
      ["execArgv", []],
      ["name", "x"],
      ["maxDeliveries", 2],
      ["backoff", { minMs: 1 }],
    ] as const) {
      expect(await refused({ template: { actor, [field]: value } })).toBe(`ERR_INVALID_CHILD_SPEC template.${field}`);
    }
    expect(await refused({ threads: { count: 0 } })).toBe("ERR_INVALID_CHILD_SPEC threads.count");
    expect(await refused({ threads: { place: "near" } })).toBe("ERR_INVALID_CHILD_SPEC threads.place");
    const perThread = [{ id: "p", actor, restart: "permanent" }];
    expect(await refused({ perThread })).toBe("ERR_INVALID_CHILD_SPEC restart");
    expect(await refused({ threads: undefined, perThread: [] })).toBe("ERR_INVALID_CHILD_SPEC perThread");
    const m = (await system.startChild(dynamicSupervisor({ id: "m", threads: {} }) as never)) as unknown as Members;
    expect(await m.startChild({ id: "a/b", actor }).catch(codeOf)).toBe("ERR_INVALID_CHILD_SPEC");
    expect(await m.startChild({ id: "a" }).catch(codeOf)).toBe("ERR_INVALID_CHILD_SPEC");
    expect(await m.startChild({ actor: "./nowhere.js" }).catch(codeOf)).toBe("ERR_ACTOR_MODULE");
    expect(await m.startChild({ actor, sameThreadAs: {} as never }).catch(codeOf)).toBe("ERR_INVALID_CHILD_SPEC");
    expect(await (await m.startChild<typeof Member>({ actor })).call("echo", 1)).toBe(1);
  });

  test("a light actor has stats, and none once it has ended", async () => {
    const { system, start } = await members();
    const a = await start("a");
    expect(system.stats(a)).toMatchObject({ state: "running", incarnation: 1 });
    await a.call("stop");
    await eventually(async () => (await a.call("echo", 1).catch(codeOf)) === "ERR_NOPROC");
    expect(() => a.stats()).toThrow(/ERR_NOPROC|stats/);
  });

  test("a stop drains all members of all partitions, and runs their terminate", async () => {
    const { system, supervisor, start } = await members({ count: 2 });
    const all = await supervisor.startChildren<typeof Member>([...Array(200).keys()].map((i) => ({ id: `m${i}` })));
    const answers = all.map((ref) => ref.call("after", 5));
    const others = all.map((ref) => ref.call("echo", ref.id));
    await start("idle");
    const report = await system.stop();
    expect(await Promise.all(answers)).toEqual(all.map(() => "done"));
    expect(await Promise.all(others)).toEqual(all.map(({ id }) => id));
    expect(report.children[0]).toMatchObject({ id: "root/members", killed: false });
    expect(await all[0].call("echo", 1).catch(codeOf)).toMatch(/ERR_NOPROC|ERR_SYSTEM_STOPPED/);
    expect(await start("late").catch(codeOf)).toBe("ERR_SYSTEM_STOPPED");
  });

  test("a storm of ends is one event a second, with counts by reason", async () => {
    const { system, supervisor } = await members({ count: 2 });
    const events: SystemEvents["members_ended"][] = [];
    system.on("members_ended", (event) => void events.push(event));
    let others = 0;
    system.on("actor_exited", () => others++);
    const all = await supervisor.startChildren<typeof Member>(Array.from({ length: 1_000 }, () => ({})));
    await Promise.all(all.map((ref, i) => (i % 2 === 0 ? ref.call("crash", "x").catch(() => {}) : ref.call("stop"))));
    await eventually(() => events.reduce((sum, { count }) => sum + count, 0) === 1_000);
    expect(events.length).toBeLessThan(5);
    const reasons = { normal: 0, error: 0 } as Record<string, number>;
    for (const event of events) for (const [kind, count] of Object.entries(event.reasons)) reasons[kind] += count;
    expect(reasons).toEqual({ normal: 500, error: 500 });
    expect(others).toBe(0);
    const totals = supervisor.partitions().map(({ ended }) => ended);
    expect(totals.reduce((sum, { normal = 0 }) => sum + normal, 0)).toBe(500);
  });

  test("the tree has a row for each partition, and members come by the page", async () => {
    const { system, supervisor } = await members({ count: 2, place: "round_robin" });
    await supervisor.startChildren([...Array(30).keys()].map((i) => ({ id: `m${String(i).padStart(2, "0")}` })));
    const [node] = system.tree().children ?? [];
    expect(node.children?.map(({ id }) => id)).toEqual(["root/members/0", "root/members/1"]);
    const page = supervisor.members({ partition: 0, limit: 5 });
    expect(page.map(({ id }) => id)).toEqual(["m00", "m02", "m04", "m06", "m08"]);
    expect(supervisor.members({ partition: 0, limit: 5, after: "m08" })[0].id).toBe("m10");
    expect(supervisor.partitions()).toMatchObject([
      { id: "root/members/0", members: 15, queued: 0 },
      { id: "root/members/1", members: 15, queued: 0 },
    ]);
  });
});
