import type { ActorRef, ActorSpec, SystemEvents, ThreadsOptions } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";
import { actor, codeOf, lightMembers } from "./members.js";

const members = (template: Partial<ActorSpec> = {}, more: object = {}, threads: ThreadsOptions = {}) =>
  lightMembers({
    threads,
    template: { restart: "permanent", ...template },
    more: { intensity: 3, periodMs: 60_000, ...more },
    system: { intensity: 100, callTimeoutMs: 60_000 },
  });

describe("a light actor that is started again", () => {
  test("it has its id, its reference and its arguments, another state, and one more incarnation", async () => {
    const { system, supervisor, start } = await members();
    const [a, b] = [await start("a", { owns: "thing" }), await start("b")];
    const mark = await b.call("mark");
    await a.call("note", 1);
    expect(await a.call("crash", "x").catch((e: unknown) => e)).toMatchObject({
      code: "ERR_CALL_EXIT",
      reason: { kind: "error" },
    });
    expect(await a.call("notes")).toEqual([]);
    expect(await a.call("path")).toMatchObject({
      id: "root/members/a",
      incarnation: 2,
      args: { owns: "thing" },
    });
    expect((await a.call("path")).self).toEqual(a);
    expect(supervisor.child("a")).toEqual(a);
    expect(system.stats(a)).toMatchObject({ incarnation: 2, restarts: 1 });
    expect(supervisor.whichChildren()).toContainEqual({
      id: "a",
      type: "worker",
      state: "running",
      restart: "permanent",
      ref: a,
    });
    // In the same thread, and what its former life owned has been let go.
    expect(await a.call("mark")).toBe(mark);
    expect(await b.call("letGo")).toEqual(["thing"]);
  });

  test("its accepted messages are handled in order, from all senders; only the message in flight is lost", async () => {
    const { system, start } = await members({ mailbox: { capacity: 64 } });
    const [a, b, c] = [await start("a"), await start("b"), await start("c")];
    const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
    const held = a.call("holdAndThrow", "a").catch(codeOf);
    await eventually(() => a.stats().mailbox.handled === 1);
    await a.cast("note", "main");
    await b.call("castTo", a, 2);
    const fromThread = echo.call("forward", a, "a thread");
    await eventually(() => a.stats().mailbox.length === 4);
    const fromSibling = b.call("forward", a, "echo", "a sibling");
    await eventually(() => a.stats().mailbox.length === 5);
    const notes = a.call("notes");
    await c.call("release", "a");
    expect(await held).toBe("ERR_CALL_EXIT");
    expect(await notes).toEqual(["main", 0, 1]);
    expect(await fromThread).toBe("a thread");
    expect(await fromSibling).toBe("a sibling");
    expect(system.stats().deadLetters).toBe(0);
    expect(a.stats().mailbox).toMatchObject({ length: 0, bytes: 0, enqueued: 7, handled: 7 });
  });

  test("who waits for room in its mailbox goes on waiting, and a call that was given up is taken out", async () => {
    const { start } = await members({ mailbox: { capacity: 1 } });
    const [a, b, c] = [await start("a"), await start("b"), await start("c")];
    const held = a.call("holdAndThrow", "a").catch(codeOf);
    await eventually(() => a.stats().mailbox.handled === 1);
    const sent = b.call("castTo", a, 3);
    await eventually(() => a.stats().mailbox.length === 1);
    await c.call("release", "a");
    expect(await held).toBe("ERR_CALL_EXIT");
    await sent;
    expect(await a.call("notes")).toEqual([0, 1, 2]);
    const again = a.call("holdAndThrow", "a").catch(codeOf);
    await eventually(() => a.stats().mailbox.handled === 6);
    // A sibling's call waits in the mailbox through the restart, and is given up in the next life.
    const first = a.with({ timeoutMs: 60_000 }).call("hold", "next").catch(codeOf);
    void first;
    await c.call("release", "a");
    await again;
    await eventually(() => a.stats().mailbox.handled === 7);
    const givenUp = b.call("giveUp", a, "note", "b", "given up");
    await eventually(() => a.stats().mailbox.length === 1);
    await c.call("release", "b");
    expect(await givenUp).toBe("ERR_CALL_ABORTED");
    expect(a.stats().mailbox.length).toBe(0);
    await c.call("release", "next");
    expect(await first).toBe("next");
    expect(await a.call("notes")).toEqual([]);
  });

  test('with onRestart "drop" what waits is dead-lettered, and its callers learn why', async () => {
    const { system, start } = await members({ mailbox: { onRestart: "drop" } });
    const [a, b] = [await start("a"), await start("b")];
    const held = a.call("holdAndThrow", "a").catch(codeOf);
    await eventually(() => a.stats().mailbox.handled === 1);
    await a.cast("note", 1);
    const call = a.call("echo", 1).catch((e: unknown) => e);
    await eventually(() => a.stats().mailbox.length === 2);
    await b.call("release", "a");
    await held;
    expect(await call).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "error" } });
    expect(await a.call("notes")).toEqual([]);
    await eventually(() => system.stats().deadLetters === 2);
  });

  test("a transient one is started again unless it ends with normal or shutdown, a temporary one never", async () => {
    const { supervisor, start } = await members();
    for (const [restart, end, lives] of [
      ["permanent", "stop", true],
      ["permanent", "crash", true],
      ["transient", "stop", false],
      ["transient", "crash", true],
      ["temporary", "stop", false],
      ["temporary", "crash", false],
    ] as const) {
      const a = await start(`${restart}-${end}`, undefined, { restart });
      await (a as ActorRef).call(end, "x").catch(() => {});
      if (lives) {
        expect(await a.call("path")).toMatchObject({ incarnation: 2 });
      } else {
        expect(await a.call("path").catch(codeOf)).toMatch(/ERR_NOPROC|ERR_CALL_EXIT/);
        await eventually(() => supervisor.child(`${restart}-${end}`) === undefined);
      }
    }
  });

  test("whatever ends it alone starts it again: a rejection, a promise that does not settle, an exit signal, a kill", async () => {
    const { system, supervisor, start } = await members({ handlerTimeoutMs: 300 }, { intensity: 10 });
    const [a, b] = [await start("a"), await start("b")];
    const mark = await b.call("mark");
    const ends: (() => Promise<unknown> | unknown)[] = [
      () => a.call("reject").catch(() => {}),
      () => a.call("stray"),
      () => a.call("never").catch(() => {}),
      () => b.call("signal", a, { kind: "error", error: new Error("told") }),
      () => b.call("kill", a),
      () => system.exit(a, "kill"),
    ];
    for (const [i, end] of ends.entries()) {
      await end();
      await eventually(() => system.stats(a)?.incarnation === i + 2);
    }
    expect(await a.call("mark")).toBe(mark);
    expect(system.stats(supervisor.partitions()[0].ref)?.incarnation).toBe(1);
  });

  test("each has a budget of its own: beyond it that one ends and is reported, and its siblings and supervisor go on", async () => {
    const { system, supervisor, start } = await members({}, { intensity: 2 });
    const [a, b] = [await start("a"), await start("b")];
    const reports: SystemEvents["members_ended"][] = [];
    system.on("members_ended", (report) => void reports.push(report));
    const sum = (of: "count" | "restarted" | "givenUp") => reports.reduce((all, report) => all + report[of], 0);
    for (let i = 0; i < 2; i++) {
      await a.call("crash", "x").catch(() => {});
      await b.call("crash", "x").catch(() => {});
    }
    expect(await a.call("path")).toMatchObject({ incarnation: 3 });
    const held = a.call("holdAndThrow", "a").catch(codeOf);
    await eventually(() => a.stats().mailbox.handled === 4);
    const waits = a.call("echo", 1).catch(codeOf);
    await b.call("release", "a");
    expect([await held, await waits]).toEqual(["ERR_CALL_EXIT", "ERR_CALL_EXIT"]);
    expect(await a.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
    expect(await b.call("path")).toMatchObject({ incarnation: 3 });
    await eventually(() => sum("count") === 5);
    expect([sum("restarted"), sum("givenUp")]).toEqual([4, 1]);
    expect(supervisor.child("a")).toBeUndefined();
    // Its id is free.
    expect(await (await start("a")).call("path")).toMatchObject({ incarnation: 1 });
  });

  test("an init that fails in a restart is another failure of its budget; a first one fails the start", async () => {
    const { system, supervisor, start } = await members({}, { intensity: 3 });
    const a = await start("a", { failsLater: 2 });
    await a.call("crash", "x").catch(() => {});
    expect(await a.call("path")).toMatchObject({ incarnation: 4 });
    const b = await start("b", { failsLater: 5 });
    await b.call("crash", "x").catch(() => {});
    await eventually(() => supervisor.child("b") === undefined);
    expect(await start("c", { fails: true }).catch(codeOf)).toBe("ERR_INIT_FAILED");
    expect(supervisor.child("c")).toBeUndefined();
    await start("d", { ignores: true });
    await eventually(() => supervisor.countChildren().specs === 1);
    expect(system.stats(supervisor.partitions()[0].ref)?.incarnation).toBe(1);
  });

  test("its monitors and links are told of each life's end once, and a new one is of the next life", async () => {
    const { system, start } = await members({}, {}, { count: 2, place: "round_robin" });
    const [a, other, b] = [await start("a"), await start("other"), await start("b")];
    const downs: string[] = [];
    system.monitor(a, ({ reason }) => void downs.push(reason.kind));
    for (const ref of [b, other]) await ref.call("monitor", a);
    await b.call("trap", true);
    await b.call("link", a);
    for (let i = 0; i < 2; i++) await a.call("crash", "x").catch(() => {});
    expect(await a.call("path")).toMatchObject({ incarnation: 3 });
    await eventually(() => downs.length === 1);
    await eventually(async () => (await other.call("told")).length === 1);
    expect([...(await b.call("told"))].sort()).toEqual(["DOWN a error", "EXIT a error"]);
    system.monitor(a, ({ reason }) => void downs.push(reason.kind));
    await other.call("monitor", a);
    // Main answers the thread, so it has heard of the monitor.
    await other.call("lookup", "nothing");
    await a.call("stop");
    await eventually(() => downs.length === 2);
    await eventually(async () => (await other.call("told")).length === 2);
    expect(downs).toEqual(["error", "normal"]);
    expect(await other.call("told")).toEqual(["DOWN a error", "DOWN a normal"]);
  });

  test.each(["a light actor of another thread", "an actor with a thread of its own"])(
    "%s that watches a life which ends before main hears of it is told noproc, and nothing of the next life",
    async (who) => {
      const { system, start } = await members({}, { intensity: 10 }, { count: 2, place: "round_robin" });
      const [a, far] = [await start("a"), await start("far")];
      const isLight = who.startsWith("a light");
      const watcher = isLight ? far : await system.startChild<typeof Member>({ id: "own", actor });
      await watcher.call("trap", true);
      for (const [what, type] of [
        ["monitor", "DOWN"],
        ["link", "EXIT"],
      ] as const) {
        const { incarnation } = a.stats();
        void watcher.cast("watchAndCrash", what, a);
        // Main takes nothing in meanwhile, so it hears of the watcher's wish in the next life.
        const deadline = performance.now() + 20_000;
        while (a.stats().incarnation === incarnation && performance.now() < deadline);
        expect(a.stats().incarnation).toBe(incarnation + 1);
        await eventually(async () => (await watcher.call("told")).at(-1) === `${type} a noproc`);
      }
      await watcher.call("monitor", a);
      await system.getState(watcher as never);
      await a.call("stop");
      await eventually(async () => (await watcher.call("told")).length === 3);
      expect(await watcher.call("told")).toEqual(["DOWN a noproc", "EXIT a noproc", "DOWN a normal"]);
    },
  );

  test("terminateChild ends it for good, in order or at once", async () => {
    for (const shutdown of [5_000, "brutal_kill"] as const) {
      const { supervisor, start } = await members({ shutdown });
      const a = await start("a");
      await supervisor.terminateChild("a");
      expect(await a.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
      expect(supervisor.countChildren().specs).toBe(0);
    }
  });

  test("a restart ends its suspension, and a trace goes on", async () => {
    const { system, start } = await members();
    const [a, b] = [await start("a"), await start("b")];
    const trace = system.trace(a, { methods: ["echo"] });
    await a.call("crash", "x").catch(() => {});
    await system.suspend(a);
    expect(system.stats(a)?.state).toBe("suspended");
    await b.call("kill", a);
    expect(await a.call("echo", 1)).toBe(1);
    expect(system.stats(a)?.state).toBe("running");
    expect((await trace.next()).value).toMatchObject({ id: a.id, method: "echo", incarnation: 3 });
  });

  test("ctx.spawn starts one that is started again, unless something is handed over to it", async () => {
    const { start } = await members({ restart: "temporary" });
    const a = await start("a");
    const child = (await a.call("spawn", "child", undefined, false, "permanent")) as ActorRef<typeof Member>;
    await child.call("crash", "x").catch(() => {});
    expect(await child.call("path")).toMatchObject({ incarnation: 2 });
    const handed = await a.call("spawn", "handed", undefined, true, "permanent").catch((e: unknown) => e);
    expect(handed).toMatchObject({ reason: { error: { code: "ERR_INVALID_OPTION", field: "hand" } } });
  });
});
