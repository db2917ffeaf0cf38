import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ActorRef, ActorSpec, SystemEvents, ThreadsOptions } from "@mini-otp/runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { Quarantine } from "#runtime/partitions/quarantine.js";
import type Echo from "../fixtures/echo.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";
import { codeOf, lightMembers } from "./members.js";

const members = (template: Partial<ActorSpec> = {}, more: object = {}, threads: ThreadsOptions = {}) =>
  lightMembers({
    threads,
    template: { restart: "permanent", ...template },
    more: { intensity: 10, periodMs: 60_000, ...more },
    system: { intensity: 100, callTimeoutMs: 60_000 },
  });

type System = Awaited<ReturnType<typeof members>>["system"];
type Ref = ActorRef<typeof Member>;

/** How a temporary member, or main, ends the partition. */
const ENDS: readonly (readonly [
  what: string,
  kind: string,
  end: (system: System, culprit: Ref, partition: ActorRef) => unknown,
])[] = [
  ["process.exit", "exit_called", (_system, culprit) => culprit.cast("exit", 3)],
  ["a handler that does not return", "unresponsive", (_system, culprit) => culprit.cast("spin")],
  ["an exception that is no member's", "error", (_system, culprit) => culprit.cast("throwOutside")],
  ["a kill", "killed", (system, _culprit, partition) => system.exit(partition, "kill")],
  ["a sleep that nothing wakes", "unresponsive", (_system, culprit) => culprit.cast("block")],
  ["the heap cap", "heap_cap_exceeded", (_system, culprit) => culprit.cast("hoard")],
];

describe("a partition that ends", () => {
  test.each(ENDS)(
    "by %s: its permanent members are started again with what they had accepted, in order, and nothing is lost",
    async (_what, kind, end) => {
      const { system, supervisor, start } = await members({ mailbox: { capacity: 64 } }, {}, { heapCapMb: 48 });
      const [a, b, c] = [await start("a", { owns: "thing" }), await start("b"), await start("c")];
      const handlerTimeoutMs = kind === "unresponsive" ? 1_500 : 60_000;
      const culprit = await start("culprit", undefined, { restart: "temporary", handlerTimeoutMs });
      const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
      const downs: string[] = [];
      for (const ref of [a, culprit]) system.monitor(ref, ({ id, reason }) => void downs.push(`${id} ${reason.kind}`));
      const inFlight = a.call("hold", "a").catch((e: unknown) => e);
      await eventually(() => a.stats().mailbox.handled === 1);
      await a.cast("note", "main");
      await b.call("castTo", a, 2);
      await a.send("sent");
      const fromThread = echo.call("forward", a, "a thread");
      await eventually(() => a.stats().mailbox.length === 5);
      const fromSibling = c.cast("forward", a, "note", "a sibling");
      await fromSibling;
      await eventually(() => a.stats().mailbox.length === 6);
      const notes = a.call("notes");
      const held = system.stats(a).mailbox;
      expect(held).toMatchObject({ length: 7 });
      await end(system, culprit, supervisor.partitions()[0].ref);
      expect(await inFlight).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: expect.anything() } });
      expect(await notes).toEqual(["main", 0, 1, "sent", "a sibling"]);
      expect(await fromThread).toBe("a thread");
      expect(await a.call("path")).toMatchObject({ id: "root/members/a", incarnation: 2, args: { owns: "thing" } });
      expect(await b.call("path")).toMatchObject({ incarnation: 2 });
      expect(system.stats(a)).toMatchObject({ incarnation: 2, restarts: 1, mailbox: { length: 0, bytes: 0 } });
      expect(supervisor.child("a")).toEqual(await start("a").catch(({ ref }: { ref: Ref }) => ref));
      // Only who had it ends with the thread.
      expect(await culprit.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
      expect(supervisor.child("culprit")).toBeUndefined();
      await eventually(() => downs.length === 2);
      expect([...downs].sort()).toEqual([
        expect.stringMatching(/^root\/members\/a partition_ended$/),
        expect.stringMatching(new RegExp(`^root/members/culprit (${kind}|partition_ended)$`)),
      ]);
      expect(system.stats().deadLetters).toBe(0);
    },
  );

  test("it costs its members nothing of their budgets, and one end of a partition is one of the supervisor's", async () => {
    const { system, supervisor, start } = await members({}, { intensity: 1 });
    const [a, culprit] = [await start("a"), await start("culprit", undefined, { restart: "temporary" })];
    const reports: SystemEvents["members_ended"][] = [];
    system.on("members_ended", (report) => void reports.push(report));
    await a.call("crash", "x").catch(() => {});
    await (culprit as ActorRef).call("exit", 1).catch(() => {});
    expect(await a.call("path")).toMatchObject({ incarnation: 3 });
    await a.call("crash", "x").catch(() => {});
    expect(await a.call("path")).toMatchObject({ incarnation: 4 });
    await eventually(() => reports.reduce((sum, { restarted }) => sum + restarted, 0) === 3);
    const escalated = new Promise<void>((told) => system.on("supervisor_escalated", () => told()));
    await a.cast("note", 1);
    system.exit(supervisor.partitions()[0].ref, "kill");
    await escalated;
  });

  test("what waits on the heap of a thread that nothing interrupts is dead-lettered by count; what is in its ring is not lost", async () => {
    const { system, start } = await members({ handlerTimeoutMs: 500 });
    const [a, b] = [await start("a"), await start("b")];
    const held = a.call("hold", "a").catch(codeOf);
    await eventually(() => a.stats().mailbox.handled === 1);
    for (let i = 0; i < 3; i++) await a.cast("note", "heap");
    const lost = a.call("echo", 1).catch(codeOf);
    // Its thread has taken these in, because it has taken this one.
    await b.call("echo", 1);
    await b.cast("sleepNative", 8);
    await eventually(() => b.stats().mailbox.handled === 2);
    await a.cast("note", "ring");
    const notes = a.call("notes");
    expect([await held, await lost]).toEqual(["ERR_CALL_EXIT", "ERR_CALL_EXIT"]);
    expect(await notes).toEqual(["ring"]);
    expect(a.stats().mailbox).toMatchObject({ length: 0, bytes: 0 });
    expect(system.stats(a)).toMatchObject({ incarnation: 2 });
    expect(system.stats().deadLetters).toBe(4);
  });

  test("two thousand members keep what they had accepted, each in order", async () => {
    const { supervisor, start } = await members({ mailbox: { capacity: 64 } }, {}, { count: 2, place: "round_robin" });
    const refs = await supervisor.startChildren<typeof Member>([...Array(2_000).keys()].map((i) => ({ id: `m${i}` })));
    // Before their first messages, which they do not answer for long.
    const mark = await refs[1].call("mark");
    const inFlight = refs.map((ref, i) => ref.call("hold", String(i)).catch(codeOf));
    await eventually(() => refs.every((ref) => ref.stats().mailbox.handled >= 1));
    const [half, rest] = [0, 1].map((of) => refs.filter((_ref, i) => i % 2 === of));
    const notes = half.map(async (ref) => {
      for (let i = 0; i < 5; i++) await ref.cast("note", i);
      return ref.call("notes");
    });
    await eventually(() => half.every((ref) => ref.stats().mailbox.length === 6));
    await start("killer", undefined, { sameThreadAs: half[0], restart: "temporary" }).then((killer) =>
      killer.cast("exit", 1),
    );
    const kept = await Promise.all(notes);
    expect(kept.every((list) => JSON.stringify(list) === "[0,1,2,3,4]")).toBe(true);
    // The other partition does not notice.
    const witness = await start("witness", undefined, { sameThreadAs: rest[0] });
    expect(await witness.call("mark")).toBe(mark);
    for (const i of rest.keys()) await witness.call("release", String(2 * i + 1));
    expect(new Set(await Promise.all(inFlight.filter((_call, i) => i % 2 === 1)))).not.toContain("ERR_CALL_EXIT");
    expect(new Set(await Promise.all(inFlight.filter((_call, i) => i % 2 === 0)))).toEqual(new Set(["ERR_CALL_EXIT"]));
  });

  test("one that ctx.spawn has started is started again, one that is being terminated is not", async () => {
    const { supervisor, start } = await members({ shutdown: 60_000 });
    const [a, b] = [await start("a", undefined, { restart: "temporary" }), await start("b")];
    const child = (await a.call("spawn", "child", { owns: "x" }, false)) as Ref;
    const held = b.call("hold", "b").catch(codeOf);
    await eventually(() => b.stats().mailbox.handled === 1);
    const terminated = supervisor.terminateChild("b");
    await eventually(() => b.tryCast("note", 1) === "closed");
    await a.cast("exit", 1);
    expect(await held).toBe("ERR_CALL_EXIT");
    await terminated;
    expect(await child.call("path")).toMatchObject({ incarnation: 2, args: { owns: "x" } });
    expect(supervisor.child("b")).toBeUndefined();
    expect(supervisor.countChildren().specs).toBe(1);
  });

  test("a reference by id goes on too, and what its calls wait for", async () => {
    const { supervisor, start } = await members({}, {}, { place: "hash" });
    const [a, killer] = [await start("a"), await start("killer", undefined, { restart: "temporary" })];
    const byId = supervisor.refOf<typeof Member>("a");
    const held = byId.call("hold", "a").catch(codeOf);
    await eventually(() => a.stats().mailbox.handled === 1);
    const echo = byId.call("echo", "by id");
    await eventually(() => a.stats().mailbox.length === 1);
    await killer.cast("exit", 1);
    expect(await held).toBe("ERR_CALL_EXIT");
    expect(await echo).toBe("by id");
  });

  test("one whose module does not load any more uses up its budget and ends, and what waits for it is told", async () => {
    const folder = await mkdtemp(join(tmpdir(), "light-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "gone.mjs");
    const worker = import.meta.resolve("@mini-otp/worker-host");
    await writeFile(
      file,
      `import { defineActor } from ${JSON.stringify(worker)};
       export default defineActor({ handlers: { never: () => new Promise(() => {}), echo: (_ctx, value) => value } });`,
    );
    const { system, supervisor, start } = await members({}, { intensity: 2 });
    const gone = (await supervisor.startChild({ id: "gone", actor: pathToFileURL(file) })) as ActorRef;
    const [b, killer] = [await start("b"), await start("killer", undefined, { restart: "temporary" })];
    const never = gone.call("never").catch(codeOf);
    await eventually(() => gone.stats().mailbox.handled === 1);
    const echo = gone.call("echo", 1).catch((e: unknown) => e);
    await eventually(() => gone.stats().mailbox.length === 1);
    await rm(file);
    await killer.cast("exit", 1);
    expect(await b.call("path")).toMatchObject({ incarnation: 2 });
    expect(await never).toBe("ERR_CALL_EXIT");
    expect(await echo).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "init_failed" } });
    expect(supervisor.child("gone")).toBeUndefined();
    await eventually(() => system.stats().deadLetters === 1);
  });

  test("a supervisor that gives up dead-letters what its partition had written out, and fails the calls among it", async () => {
    const { system, start } = await members({}, { intensity: 0 });
    const [a, killer] = [await start("a"), await start("killer", undefined, { restart: "temporary" })];
    const held = a.call("hold", "a").catch(codeOf);
    await eventually(() => a.stats().mailbox.handled === 1);
    for (let i = 0; i < 3; i++) await a.cast("note", i);
    const echo = a.call("echo", 1).catch(codeOf);
    await eventually(() => a.stats().mailbox.length === 4);
    await killer.cast("exit", 1);
    expect([await held, await echo]).toEqual(["ERR_CALL_EXIT", "ERR_CALL_EXIT"]);
    await eventually(() => system.stats().deadLetters === 4);
    expect(await a.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
  });
});

describe("a member over which its partition ends", () => {
  test.each([
    ["process.exit", (culprit: Ref) => culprit.cast("exit", 3)],
    ["process.exit in a turn of its own", (culprit: Ref) => culprit.cast("exitLater")],
    ["a handler that does not return", (culprit: Ref) => culprit.cast("spin")],
  ])("is started again once, and not after the second time: %s", async (_what, end) => {
    const { system, supervisor, start } = await members({ handlerTimeoutMs: 1_000 });
    const [a, culprit] = [await start("a"), await start("culprit")];
    const told: SystemEvents["actor_quarantined"][] = [];
    system.on("actor_quarantined", (event) => void told.push(event));
    const reports: SystemEvents["members_ended"][] = [];
    system.on("members_ended", (report) => void reports.push(report));
    await end(culprit);
    await eventually(async () => (await culprit.call("path").catch(() => undefined))?.incarnation === 2);
    expect(await a.call("path")).toMatchObject({ incarnation: 2 });
    const down = new Promise<string>((over) => system.monitor(culprit, ({ reason }) => over(reason.kind)));
    const held = culprit.call("hold", "culprit").catch(codeOf);
    await eventually(() => culprit.stats().mailbox.handled >= 3);
    // What it had accepted it handles, as long as it is started again.
    const waits = culprit.call("echo", 1).catch((e: unknown) => e);
    await a.call("release", "culprit");
    expect(await held).toBe("culprit");
    expect(await waits).toBe(1);
    await end(culprit);
    const late = culprit.call("never").catch((e: unknown) => e);
    expect(await late).toMatchObject({ code: expect.stringMatching(/ERR_CALL_EXIT|ERR_NOPROC/) });
    await eventually(() => told.length === 1);
    expect(told[0]).toMatchObject({ id: "root/members/culprit", ends: 2, periodMs: 60_000 });
    expect(await down).toBe(told[0].reason.kind);
    expect(await a.call("path")).toMatchObject({ incarnation: 3 });
    expect(await culprit.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
    expect(supervisor.child("culprit")).toBeUndefined();
    await eventually(() => reports.reduce((sum, { givenUp }) => sum + givenUp, 0) === 1);
    // Its id is free: who starts it by hand may.
    expect(await (await start("culprit")).call("path")).toMatchObject({ incarnation: 1 });
  });

  test("in each restart of its init too, before its neighbours have done anything", async () => {
    const { system, start } = await members();
    const [a, culprit] = [await start("a"), await start("culprit", { exits: 1 })];
    const quarantined = new Promise<SystemEvents["actor_quarantined"]>((told) => system.on("actor_quarantined", told));
    await a.cast("note", 1);
    await culprit.call("crash", "x").catch(() => {});
    expect(await quarantined).toMatchObject({ id: "root/members/culprit", ends: 2, reason: { kind: "exit_called" } });
    expect(await a.call("path")).toMatchObject({ incarnation: 3 });
  });

  test("is judged by whose code ran: a neighbour is never charged", async () => {
    const { system, start } = await members({}, { intensity: 10 });
    const [a, b] = [await start("a"), await start("b")];
    const quarantined: string[] = [];
    system.on("actor_quarantined", ({ id }) => void quarantined.push(id));
    for (let i = 0; i < 3; i++) {
      const killer = await start("killer", undefined, { restart: "temporary" });
      const busy = a.call("after", 5).catch(() => {});
      await killer.cast("exitLater");
      await eventually(async () => (await b.call("path")).incarnation === i + 2);
      await busy;
    }
    expect((await a.call("path")).incarnation).toBe(4);
    expect(quarantined).toEqual([]);
  });

  test("is quarantined at the second time within the period, and at the first when nothing is to be restarted", () => {
    expect(new Quarantine({ intensity: 0, periodMs: 100 }).charge("a", 0)).toEqual({ ends: 1, isKept: false });
    const twice = new Quarantine({ intensity: 5, periodMs: 100 });
    expect(twice.charge("a", 0)).toEqual({ ends: 1, isKept: true });
    // Exactly a period ago counts still, and after it no more.
    expect(twice.charge("a", 101)).toEqual({ ends: 1, isKept: true });
    expect(twice.charge("b", 150)).toEqual({ ends: 1, isKept: true });
    expect(twice.charge("a", 201)).toEqual({ ends: 2, isKept: false });
    expect(twice.charge("a", 202)).toEqual({ ends: 1, isKept: true });
  });
});
