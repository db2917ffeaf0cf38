import {
  type ActorRef,
  type RouterSpec,
  router,
  type SupervisedRouterRef,
  type SystemOptions,
} from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Gate from "../fixtures/gate.actor.js";
import type Log from "../fixtures/log.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";
import type Client from "./fixtures/client.actor.js";
import type Member from "./fixtures/member.actor.js";

const member = new URL("./fixtures/member.actor.js", import.meta.url);
const client = new URL("./fixtures/client.actor.js", import.meta.url);

async function start(options: Partial<RouterSpec<typeof Member>> = {}, systemOptions: SystemOptions = {}) {
  const system = await testSystem(systemOptions);
  const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
  const ref = await system.startChild(
    router<typeof Member>({
      id: "pair",
      actor: member,
      size: 2,
      route: "round_robin",
      ...options,
      args: { log, ...(options.args ?? {}) },
    }),
  );
  return { system, log, ref };
}

async function whoAnswers(ref: SupervisedRouterRef<typeof Member>, count: number): Promise<string[]> {
  const answers: string[] = [];
  for (let i = 0; i < count; i++) answers.push(await ref.call("who"));
  return answers;
}

const path = (ids: string) => [...ids].map((id) => `root/pair/${id}`);

describe("a router's place in the tree", () => {
  // Promise: router-one-for-one-supervisor-members
  test("is that of a supervisor with its members as children", async () => {
    const { system, ref } = await start({ size: 3 });
    expect(system.whichChildren()[0]).toMatchObject({ id: "pair", type: "supervisor", state: "running", ref });
    const [, node] = system.tree().children ?? [];
    expect(node).toMatchObject({ id: "root/pair", type: "supervisor", restart: "permanent" });
    expect(node.children?.map(({ id, type, state }) => [id, type, state])).toEqual(
      path("012").map((id) => [id, "worker", "running"]),
    );
    expect(ref.whichChildren().map(({ id }) => id)).toEqual(["2", "1", "0"]);
    expect(ref.countChildren()).toEqual({ specs: 3, active: 3, supervisors: 0, workers: 3 });
    expect(await ref.child("1")?.call("who")).toBe("root/pair/1");
    expect(system.meters.supervisors()).toContainEqual({
      id: "root/pair",
      restarts: { count: 0, intensity: 3, periodMs: 5_000 },
    });
    expect(ref.size).toBe(3);
    expect(ref.stats().members.map((stats) => stats?.state)).toEqual(["running", "running", "running"]);
  });

  // Promise: router-one-for-one-supervisor-members
  test("a member that crashes is restarted alone, and its queued messages wait for it", async () => {
    const { ref } = await start();
    await ref.child("0")?.cast("crash");
    expect((await whoAnswers(ref, 4)).sort()).toEqual(path("0011"));
    expect([await ref.child("0")?.call("incarnation"), await ref.child("1")?.call("incarnation")]).toEqual([2, 1]);
  });

  // Promise: router-one-for-one-supervisor-members
  test("members that fail too often end the router, which its supervisor starts again under the same reference", async () => {
    const { system, ref } = await start({ intensity: 1 });
    const escalated: string[] = [];
    system.on("supervisor_escalated", ({ id }) => escalated.push(id));
    let restarts = 0;
    system.on("actor_restarted", ({ id }) => {
      if (id === "root/pair") restarts++;
    });
    await ref.child("0")?.cast("crash");
    await ref.child("0")?.cast("crash");
    await eventually(() => restarts === 1);
    expect(escalated).toEqual(["root/pair"]);
    expect((await whoAnswers(ref, 4)).sort()).toEqual(path("0011"));
    expect(await ref.child("1")?.call("incarnation")).toBe(2);
  });

  test("a start that fails in one member fails the router's start, and names the member", async () => {
    const system = await testSystem();
    const spec = router({ id: "pair", actor: member, size: 2, route: "round_robin", args: { broken: ["1"] } });
    await expect(system.startChild(spec)).rejects.toMatchObject({ code: "ERR_INIT_FAILED", id: "root/pair/1" });
    expect(system.whichChildren()).toEqual([]);
  });

  // Promise: message-member-refuses-goes
  test("stops with the system: members handle what they have accepted", async () => {
    const { system, log, ref } = await start();
    const entries: unknown[] = [];
    for (let i = 0; i < 50; i++) await ref.cast("take", i);
    await system.terminateChild("pair");
    entries.push(...(await log.call("entries")));
    expect(entries).toHaveLength(50);
    await expect(ref.call("who")).rejects.toMatchObject({ code: "ERR_NOPROC", id: "root/pair" });
    await expect(ref.cast("who")).rejects.toMatchObject({ code: "ERR_NOPROC", id: "root/pair" });
    expect(ref.tryCast("who")).toBe("closed");
    await system.restartChild("pair");
    expect(await whoAnswers(ref, 2)).toHaveLength(2);
  });

  test("its name is the router's", async () => {
    const { system, ref } = await start({ name: "workers" });
    expect(system.whereis("workers")).toBe(ref);
    await expect(system.startChild({ id: "other", name: "workers", actor: fixture("echo") })).rejects.toMatchObject({
      code: "ERR_NAME_TAKEN",
      holder: "root/pair",
    });
    await system.terminateChild("pair");
    expect(system.whereis("workers")).toBeUndefined();
  });

  test.each([
    ["size", { size: 0 }],
    ["size", { size: 1025 }],
    ["route", { route: "random" }],
    ["intensity", { intensity: -1 }],
    ["significant", { significant: true, restart: "transient" }],
  ])("a spec with a wrong %s is refused", async (field, options) => {
    const system = await testSystem();
    const spec = { id: "r", actor: member, size: 2, route: "round_robin", ...options };
    await expect(system.startChild(router(spec as never))).rejects.toMatchObject({
      code: "ERR_INVALID_CHILD_SPEC",
      field,
    });
  });
});

describe("round_robin", () => {
  // Promise: message-goes-member-turn
  test("gives each member its turn, from any sender", async () => {
    const { system, ref } = await start({ size: 3 });
    expect(await whoAnswers(ref, 6)).toEqual(path("012012"));
    const user = await system.startChild<typeof Client>({ id: "client", actor: client });
    expect(await user.call("callMany", ref, 2)).toEqual(path("01"));
    expect(await ref.proxy().who()).toBe("root/pair/2");
    expect(await ref.with({ timeoutMs: 60_000 }).call("who")).toBe("root/pair/0");
  });

  test("a member that has ended for good is passed by", async () => {
    const { ref } = await start({ size: 3, restart: "transient" });
    await ref.child("1")?.cast("end");
    await eventually(() => ref.whichChildren()[1].state === "stopped");
    expect((await whoAnswers(ref, 4)).sort()).toEqual(path("0022"));
  });

  test("a temporary member that has ended is passed by, and the others keep their places", async () => {
    const { ref } = await start({ size: 3, restart: "temporary", route: "consistent_hash" });
    const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`);
    const ask = () => Promise.all(keys.map((key) => ref.forKey(key).call("who")));
    const before = await ask();
    await ref.child("0")?.cast("crash");
    await eventually(() => ref.child("0") === undefined);
    const after = await ask();
    expect(after).not.toContain("root/pair/0");
    expect(after.filter((who, i) => who !== before[i])).toHaveLength(before.filter((who) => who.endsWith("/0")).length);
  });

  test("send goes to the info of one member", async () => {
    const { ref } = await start();
    for (let i = 0; i < 4; i++) await ref.send({ hello: i });
    const counts = await ref.callAll("counts");
    expect(counts.map((result) => result.status === "fulfilled" && result.value.informed)).toEqual([2, 2]);
  });

  test("a member that calls through its router is answered by another", async () => {
    const { ref } = await start();
    expect(await ref.child("0")?.call("ask", ref)).toBe("root/pair/1");
    expect(await ref.child("0")?.call("ask", ref)).toBe("root/pair/1");
    const alone = await start({ size: 1 });
    await expect(alone.ref.call("ask", alone.ref)).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
  });
});

describe("least_loaded", () => {
  // Promise: message-goes-member-turn
  test("chooses who has the fewest messages, the one being handled included", async () => {
    const { system, ref } = await start({ size: 3, route: "least_loaded" });
    const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
    for (const id of ["1", "2"]) {
      for (let i = 0; i < 3; i++) await ref.child(id)?.cast("hold", gate);
    }
    await gate.call("someone");
    // A member may have answered and not be done yet, which counts as one: the others have three each.
    expect(await whoAnswers(ref, 10)).toEqual(path("0000000000"));
    await gate.call("open");
  });

  test("of members that are idle each gets its turn", async () => {
    const { ref } = await start({ size: 3, route: "least_loaded" });
    const answers: string[] = [];
    for (let i = 1; i <= 12; i++) {
      answers.push(await ref.call("who"));
      // A member that has answered may not be done yet.
      await eventually(() => ref.stats().mailbox.handled === i);
    }
    expect(answers).toEqual(path("012012012012"));
  });
});

describe("consistent_hash", () => {
  const keys = Array.from({ length: 60 }, (_, i) => `user ${i}`);

  // Promise: key-same-member-thread
  test("a key has the same member in every thread, and over restarts", async () => {
    const { system, ref } = await start({ size: 4, route: "consistent_hash", intensity: 10 });
    const user = await system.startChild<typeof Client>({ id: "client", actor: client });
    const before = await Promise.all(keys.map((key) => ref.forKey(key).call("who")));
    expect(new Set(before).size).toBe(4);
    expect(await Promise.all(keys.map((key) => user.call("whoFor", ref, key)))).toEqual(before);
    for (const id of "0123") await ref.child(id)?.cast("crash");
    expect(await Promise.all(keys.map((key) => ref.forKey(key).call("who")))).toEqual(before);
  });

  test("a resize moves only the keys that go to the new member", async () => {
    const { ref } = await start({ size: 3, route: "consistent_hash" });
    const keyed = keys.map((key) => ref.forKey(key));
    const ask = () => Promise.all(keyed.map((one) => one.call("who")));
    const before = await ask();
    await ref.resize(4);
    const after = await ask();
    const moved = after.filter((who, i) => who !== before[i]);
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.length).toBeLessThan(keys.length * 0.4);
    expect(new Set(moved)).toEqual(new Set(["root/pair/3"]));
    await ref.resize(3);
    expect(await ask()).toEqual(before);
  });

  test("a message without a key is refused with ERR_NO_KEY", async () => {
    const { ref } = await start({ route: "consistent_hash" });
    await expect(ref.call("who")).rejects.toMatchObject({ code: "ERR_NO_KEY", id: "root/pair" });
    await expect(ref.cast("who")).rejects.toMatchObject({ code: "ERR_NO_KEY" });
    expect(() => ref.tryCast("who")).toThrow(expect.objectContaining({ code: "ERR_NO_KEY" }));
    expect(() => ref.forKey({} as never)).toThrow(TypeError);
    expect(await ref.callAll("who")).toHaveLength(2);
  });

  test("what forKey returns is a message value", async () => {
    const { system, ref } = await start({ size: 4, route: "consistent_hash" });
    const user = await system.startChild<typeof Client>({ id: "client", actor: client });
    for (const key of keys.slice(0, 10)) {
      expect(await user.call("through", ref.forKey(key))).toBe(await ref.forKey(key).call("who"));
    }
  });
});

describe("resize", () => {
  // Promise: router-does-run-resized
  test("of a router that does not run rejects with ERR_NOPROC, changes nothing and holds no upgrade up", async () => {
    const { system, ref } = await start();
    await system.terminateChild("pair");
    for (const size of [1, 3])
      await expect(ref.resize(size)).rejects.toMatchObject({ code: "ERR_NOPROC", id: "root/pair" });
    await expect(system.upgrade(ref, member)).rejects.toMatchObject({ code: "ERR_NOPROC" });
    await system.restartChild("pair");
    expect(ref.size).toBe(2);
    await ref.resize(1);
    expect(await whoAnswers(ref, 2)).toEqual(path("00"));
  });

  // Promise: router-does-run-resized
  test("that is under way when the router is stopped is done then, and what went does not come back", async () => {
    const { system, ref } = await start();
    const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
    await Promise.all([ref.cast("hold", gate), ref.cast("hold", gate)]);
    await gate.call("someone");
    const resized = ref.resize(1);
    const stopped = system.terminateChild("pair");
    await gate.call("open");
    await stopped;
    await resized;
    await system.restartChild("pair");
    expect(ref.whichChildren().map(({ id }) => id)).toEqual(["0"]);
    expect(ref.child("1")).toBeUndefined();
    await ref.resize(2);
    expect((await whoAnswers(ref, 2)).sort()).toEqual(path("01"));
  });

  test.each(["round_robin", "least_loaded"] as const)(
    // Promise: resize-loses-message-handles
    "loses no message while they flow from main and from actors (%s)",
    async (route) => {
      const { system, log, ref } = await start({ route, size: 2, mailbox: { capacity: 8 } });
      const users = await Promise.all(
        [0, 1].map((i) =>
          system.startChild<typeof Client>({ id: `client-${i}`, actor: client, handlerTimeoutMs: 60_000 }),
        ),
      );
      const count = 1_500;
      let sending = true;
      const sizes = (async () => {
        for (const size of [4, 1, 3, 5, 2, 1, 4]) if (sending) await ref.resize(size);
      })();
      const patient = { timeoutMs: 60_000 };
      const casts = users.map((user, i) => user.with(patient).call("castMany", ref, count, `actor ${i}`));
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < count; i++) {
        calls.push(ref.with(patient).call("take", `call ${i}`));
        await ref.cast("take", `main ${i}`);
      }
      await Promise.all([...casts, ...calls]);
      sending = false;
      await sizes;
      const entries = (await log.with(patient).call("untilCount", 4 * count)) as string[];
      expect(entries).toHaveLength(4 * count);
      expect(new Set(entries).size).toBe(4 * count);
      expect(system.stats().deadLetters).toBe(0);
    },
  );

  // Promise: resize-loses-message-handles
  test("a member that goes handles what it has accepted, however long that takes, and over a crash", async () => {
    const { system, log, ref } = await start({ size: 2, shutdown: 1, intensity: 10 });
    const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
    const last = ref.child("1");
    await last?.cast("hold", gate);
    await gate.call("someone");
    await last?.cast("take", "before the crash");
    await last?.cast("crash");
    await last?.cast("take", "after the crash");
    let done = false;
    const resized = ref.resize(1).then(() => {
      done = true;
    });
    // No message is sent there any more, while it still has work.
    expect(await whoAnswers(ref, 3)).toEqual(path("000"));
    expect(done).toBe(false);
    await gate.call("open");
    await resized;
    expect(await log.call("entries")).toEqual(["before the crash", "after the crash"]);
    expect(ref.whichChildren().map(({ id }) => id)).toEqual(["0"]);
    await expect(last?.call("who")).rejects.toMatchObject({ code: "ERR_NOPROC" });
  });

  // Promise: message-member-refuses-goes
  test("messages that wait for room in a member that goes are handled by another", async () => {
    const { system, log, ref } = await start({ size: 2, mailbox: { capacity: 1 } });
    const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
    await ref.child("1")?.cast("hold", gate);
    await gate.call("someone");
    const patient = ref.with({ timeoutMs: 60_000 });
    const calls = Array.from({ length: 10 }, (_, i) => patient.call("take", i));
    const resized = ref.resize(1);
    await log.call("untilCount", 9);
    await gate.call("open");
    await Promise.all(calls);
    await resized;
    expect(await log.call("entries")).toHaveLength(10);
  });

  // Promise: resize-fails-changes-nothing
  test("keeps the size it had when a new member cannot start", async () => {
    const { ref } = await start({ args: { broken: ["4"] } });
    await expect(ref.resize(6)).rejects.toMatchObject({ code: "ERR_INIT_FAILED", id: "root/pair/4" });
    expect(ref.size).toBe(2);
    expect(ref.whichChildren().map(({ id }) => id)).toEqual(["1", "0"]);
    expect((await whoAnswers(ref, 4)).sort()).toEqual(path("0011"));
    await ref.resize(3);
    expect(ref.size).toBe(3);
  });

  test("one follows the other", async () => {
    const { ref } = await start();
    await Promise.all([ref.resize(5), ref.resize(1), ref.resize(3)]);
    expect(ref.whichChildren().map(({ id }) => id)).toEqual(["2", "1", "0"]);
  });

  test("the size outlasts a restart of the router", async () => {
    const { system, ref } = await start({ intensity: 0 });
    await ref.resize(3);
    let restarted = false;
    system.on("actor_restarted", ({ id }) => {
      restarted ||= id === "root/pair";
    });
    await ref.child("0")?.cast("crash");
    await eventually(() => restarted);
    expect((await whoAnswers(ref, 3)).sort()).toEqual(path("012"));
    expect(ref.whichChildren()).toHaveLength(3);
  });

  test.each([0, 1.5, 1025, "2"])("to %s is refused", async (size) => {
    const { ref } = await start();
    await expect(ref.resize(size as number)).rejects.toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", field: "size" });
  });

  test("of a router whose system has stopped is refused", async () => {
    const { system, ref } = await start();
    await system.stop();
    await expect(ref.resize(3)).rejects.toMatchObject({ code: "ERR_SYSTEM_STOPPED" });
    await expect(ref.call("who")).rejects.toThrow();
    await expect(ref.callAll("who")).rejects.toThrow();
  });
});

describe("all members at once", () => {
  // Promise: broadcast-reaches-member-callall
  test("broadcast reaches every member once", async () => {
    const { log, ref } = await start({ size: 3 });
    await ref.broadcast("take", "hello");
    expect(await log.call("untilCount", 3)).toEqual(["hello", "hello", "hello"]);
  });

  test("broadcast rejects with a member's failure, after the others have accepted it", async () => {
    const { system, ref } = await start({ size: 2, mailbox: { capacity: 1, overflow: "reject" } });
    const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
    await ref.child("0")?.cast("hold", gate);
    await gate.call("someone");
    await ref.child("0")?.cast("who");
    await expect(ref.broadcast("who")).rejects.toMatchObject({ code: "ERR_MAILBOX_FULL", id: "root/pair/0" });
    await gate.call("open");
    // Each has room for one message only, so what was sent is waited for.
    const members = ["0", "1"].map((id) => ref.child(id) as ActorRef);
    await eventually(() => members.every((member) => system.stats(member).mailbox.length === 0));
    const results = await ref.callAll("counts");
    expect(results.map((result) => result.status === "fulfilled" && result.value.handled)).toEqual([1, 1]);
  });

  // Promise: broadcast-reaches-member-callall
  test("callAll resolves to what each member has answered, failures among them", async () => {
    const { ref } = await start({ size: 3 });
    const results = await ref.callAll("answer", "root/pair/1", "root/pair/2");
    expect(results).toMatchObject([
      { id: "root/pair/0", status: "fulfilled", value: "root/pair/0" },
      { id: "root/pair/1", status: "rejected", reason: { code: "REFUSED" } },
      { id: "root/pair/2", status: "rejected", reason: { code: "ERR_CALL_EXIT", reason: { kind: "error" } } },
    ]);
  });

  test("nothing can be transferred to several members", async () => {
    const { ref } = await start();
    const transfer = [new ArrayBuffer(8)];
    await expect(ref.with({ transfer }).broadcast("take", transfer[0])).rejects.toThrow(TypeError);
  });

  test("an actor can do the same", async () => {
    const { system, log, ref } = await start();
    const user = await system.startChild<typeof Client>({ id: "client", actor: client });
    expect(await user.call("everyone", ref)).toEqual(path("01").map((id) => ({ id, status: "fulfilled", value: id })));
    expect(await log.call("untilCount", 2)).toEqual(["from a client", "from a client"]);
  });
});

describe("a router's reference in an actor", () => {
  // Promise: actor-routes-itself-messages
  test("routes from thread to thread while the main thread is blocked", async () => {
    const { system, log, ref } = await start({ size: 3 });
    const user = await system.startChild<typeof Client>({ id: "client", actor: client });
    await user.call("callMany", ref, 1);
    await user.cast("castMany", ref, 300, "m");
    const before = log.stats() as { mailbox: { enqueued: number } };
    const until = performance.now() + 5_000;
    let handled = 0;
    // Busy on purpose: shared memory is all that can tell main's loop anything here.
    while (performance.now() < until && handled < 300) {
      handled = (log.stats() as typeof before).mailbox.enqueued - before.mailbox.enqueued;
    }
    expect(handled + before.mailbox.enqueued).toBeGreaterThanOrEqual(300);
    expect(await log.call("untilCount", 300)).toHaveLength(300);
  });

  test("calls synchronously, and finds members that were added since", async () => {
    const { system, ref } = await start({ size: 1 });
    const user = await system.startChild<typeof Client>({ id: "client", actor: client });
    expect(await user.call("askSync", ref)).toBe("root/pair/0");
    await ref.resize(2);
    expect([await user.call("askSync", ref), await user.call("askSync", ref)].sort()).toEqual(path("01"));
  });

  test("comes back to main as the reference it was", async () => {
    const { system, ref } = await start();
    const user = await system.startChild<typeof Client>({ id: "client", actor: client });
    expect(await user.call("back", ref)).toBe(ref);
  });
});
