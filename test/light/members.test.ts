import type { ActorRef, ActorSpec, ThreadsOptions } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";
import { codeOf, lightMembers } from "./members.js";

const members = (threads: ThreadsOptions = {}, template: Partial<ActorSpec> = {}, more: object = {}) =>
  lightMembers({ threads, template, more, system: { intensity: 100 } });

describe("messages", () => {
  test("a light actor is called, cast to and sent to from main, from an ordinary actor and from its own thread", async () => {
    const { system, start } = await members();
    const [a, b] = [await start("a"), await start("b")];
    const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
    expect(await a.call("echo", { deep: [1, "two", null] })).toEqual({ deep: [1, "two", null] });
    expect(await echo.call("forward", a, "from a thread")).toBe("from a thread");
    expect(await b.call("forward", a, "echo", "from its sibling")).toBe("from its sibling");
    expect(await a.call("forward", echo, "echo", "to an actor with a thread of its own")).toBe(
      "to an actor with a thread of its own",
    );
    await a.cast("note", 1);
    await a.send("sent");
    expect(a.tryCast("note", 2)).toBe("ok");
    expect(await a.call("notes")).toEqual([1, "sent", 2]);
  });

  test("messages of one sender to one light actor are handled in the order they were sent", async () => {
    const { start } = await members({ count: 2, place: "round_robin" });
    const [a, sibling, other] = [await start("a"), await start("s", {}, {}), await start("o")];
    await Promise.all([...Array(500).keys()].map((i) => a.cast("note", i)));
    expect(await a.call("notes")).toEqual([...Array(500).keys()]);
    for (const sender of [sibling, other]) {
      const to = await start();
      await sender.call("castTo", to, 300);
      expect(await to.call("notes")).toEqual([...Array(300).keys()]);
    }
  });

  test("what passes between two light actors of one thread is a copy too", async () => {
    const { start } = await members();
    const [a, b] = [await start("a"), await start("b")];
    await a.call("changeAfter", b);
    expect(await b.call("notes")).toEqual([{ list: [1], bytes: Buffer.from("abc") }]);
  });

  test("what cannot be copied to a sibling is refused with its path", async () => {
    const { start } = await members();
    const [a, b] = [await start("a"), await start("b")];
    const error = await a.call("sendUncloneable", b).catch((e: unknown) => e);
    expect(JSON.stringify((error as { reason?: unknown }).reason ?? error)).toContain("ERR_NOT_CLONEABLE");
  });

  test("a reference to a light actor goes with messages, and is that of ctx.self", async () => {
    const { system, start } = await members({ count: 2, place: "round_robin" });
    const [a, b] = [await start("a", { owns: "x" }), await start("b")];
    const path = await a.call("path");
    expect(path).toMatchObject({ id: "root/members/a", incarnation: 1, args: { owns: "x" }, handed: undefined });
    expect(await path.self.call("echo", 1)).toBe(1);
    expect(await b.call("forward", path.self, "echo", 2)).toBe(2);
    const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
    expect(await ((await echo.call("echo", a)) as typeof a).call("echo", 3)).toBe(3);
  });

  test("a message larger than the partition's ring arrives, and one that transfers", async () => {
    const { start } = await members();
    const [a, b] = [await start("a"), await start("b")];
    const large = "x".repeat(3_000_000);
    expect(await a.call("echo", large)).toBe(large);
    expect(await b.call("forward", a, "echo", large)).toBe(large);
    const bytes = new Uint8Array([1, 2, 3]);
    expect(await a.with({ transfer: [bytes.buffer] }).call("echo", bytes)).toEqual(new Uint8Array([1, 2, 3]));
    expect(bytes.length).toBe(0);
  });

  test("an unknown method fails its call, and the actor lives", async () => {
    const { start } = await members();
    const a = await start("a");
    expect(await (a as ActorRef).call("nothing").catch(codeOf)).toBe("ERR_UNKNOWN_METHOD");
    expect(await a.call("echo", 1)).toBe(1);
  });

  test("a deferred reply answers its call, and a ReplyError fails only its call", async () => {
    const { start } = await members();
    const a = await start("a");
    const deferred = a.call("defer");
    await a.cast("settle", "at last");
    expect(await deferred).toBe("at last");
    expect(await a.call("refuse").catch(codeOf)).toBe("E_NO");
    expect(await a.call("echo", 1)).toBe(1);
  });

  test("while a light actor awaits, its own messages wait and those of others do not", async () => {
    const { start } = await members();
    const [a, b] = [await start("a"), await start("b")];
    const held = a.call("hold", "a");
    await a.cast("note", "behind");
    expect(await b.call("echo", "at once")).toBe("at once");
    await b.call("release", "a");
    expect(await held).toBe("a");
    expect(await a.call("notes")).toEqual(["behind"]);
  });

  test("a call that is given up aborts, and a call takes no longer than its timeout", async () => {
    const { start } = await members();
    const [a, b] = [await start("a"), await start("b")];
    expect(await a.with({ timeoutMs: 20 }).call("never").catch(codeOf)).toBe("ERR_CALL_TIMEOUT");
    const abort = new AbortController();
    const call = b.with({ signal: abort.signal }).call("after", 5_000);
    abort.abort();
    expect(await call.catch(codeOf)).toBe("ERR_CALL_ABORTED");
  });
});

describe("calls that are given up", () => {
  for (const handlerTimeoutMs of [30_000, Infinity]) {
    test(`the handler's signal aborts, for callers in any thread, with handlerTimeoutMs ${handlerTimeoutMs}`, async () => {
      const { supervisor, start } = await members({ count: 2, place: "round_robin" }, { handlerTimeoutMs });
      const a = await start("a");
      const far = await start("far");
      const near = await supervisor.startChild<typeof Member>({ id: "near", sameThreadAs: a });
      const abort = new AbortController();
      const fromMain = a.with({ signal: abort.signal }).call("untilAborted").catch(codeOf);
      await eventually(() => a.stats().mailbox.handled === 1);
      abort.abort();
      expect(await fromMain).toBe("ERR_CALL_ABORTED");
      expect(await a.call("notes")).toEqual([true]);
      for (const [caller, notes] of [
        [near, [true, true]],
        [far, [true, true, true]],
      ] as const) {
        const call = caller.call("giveUp", a, "untilAborted", "give up");
        const helper = await supervisor.startChild<typeof Member>({ sameThreadAs: caller });
        const before = 2 * (notes.length - 1);
        await eventually(() => a.stats().mailbox.handled === before + 1);
        await helper.call("release", "give up");
        expect(await call).toBe("ERR_CALL_ABORTED");
        expect(await a.call("notes")).toEqual(notes);
      }
    });
  }

  test("a handler that asks for its signal afterwards finds it aborted, and the next message has its own", async () => {
    const { start } = await members();
    const [a, b] = [await start("a"), await start("b")];
    const abort = new AbortController();
    const call = a.with({ signal: abort.signal }).call("aborted", "a").catch(codeOf);
    await eventually(() => a.stats().mailbox.handled === 1);
    abort.abort();
    expect(await call).toBe("ERR_CALL_ABORTED");
    await a.cast("continueSignal");
    await eventually(async () => (await b.call("release", "a")) === true);
    await eventually(async () => JSON.stringify(await a.call("notes")) === "[true,false]");
  });

  test("a call that waits is not handled any more when a sibling gives it up", async () => {
    const { start } = await members();
    const [a, b, c] = [await start("a"), await start("b"), await start("c")];
    const busy = a.call("hold", "a");
    const call = b.call("giveUp", a, "note", "give up", 1);
    await eventually(() => a.stats().mailbox.length === 1);
    await c.call("release", "give up");
    expect(await call).toBe("ERR_CALL_ABORTED");
    expect(a.stats().mailbox.length).toBe(0);
    await c.call("release", "a");
    await busy;
    expect(await a.call("notes")).toEqual([]);
  });
});

describe("bounds", () => {
  test("a full mailbox refuses from main, from another thread and from its own, and counts exactly", async () => {
    const { system, start } = await members({}, { mailbox: { capacity: 3, overflow: "reject" } });
    const [a, b] = [await start("a"), await start("b")];
    const busy = a.call("hold", "a");
    await eventually(() => a.stats().mailbox.handled === 1);
    for (let i = 0; i < 3; i++) await a.cast("note", i);
    expect(await a.cast("note", 3).catch(codeOf)).toBe("ERR_MAILBOX_FULL");
    expect(a.tryCast("note", 3)).toBe("full");
    expect(a.stats().mailbox).toMatchObject({ length: 3, capacity: 3 });
    expect(await b.call("tryCastTo", a, 3)).toBe("full");
    const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
    const refused = await echo.call("forward", a, 1).catch((e: { reason?: { error?: { code: string } } }) => e);
    expect(JSON.stringify(refused)).toContain("ERR_MAILBOX_FULL");
    expect(await b.call("release", "a")).toBe(true);
    expect(await busy).toBe("a");
    await eventually(() => a.stats().mailbox.length === 0);
    expect(await a.call("notes")).toEqual([0, 1, 2]);
    await eventually(() => a.stats().mailbox.length === 0);
  });

  test('under "block" a cast to a full sibling stays pending, and the thread goes on', async () => {
    const { start } = await members({}, { mailbox: { capacity: 2 } });
    const [a, b, c] = [await start("a"), await start("b"), await start("c")];
    const busy = a.call("hold", "a");
    const casts = b.call("castTo", a, 10);
    await eventually(() => a.stats().mailbox.length === 2);
    expect(await c.call("echo", "goes on")).toBe("goes on");
    await c.call("release", "a");
    await Promise.all([busy, casts]);
    expect(await a.call("notes")).toEqual([...Array(10).keys()]);
  });

  test('under "block" a cast that is not awaited waits no longer than blockTimeoutMs', async () => {
    const { start } = await members({}, { mailbox: { capacity: 2, blockTimeoutMs: 50 }, handlerTimeoutMs: Infinity });
    const [a, b] = [await start("a"), await start("b")];
    // Its handler has no limit, so nothing else makes the partition look at the clock.
    void a.call("hold", "a");
    await eventually(() => a.stats().mailbox.handled === 1);
    await b.call("castAndForget", a, 4);
    await eventually(async () => (await b.call("notes")).length === 2);
    expect(await b.call("notes")).toEqual(["ERR_MAILBOX_FULL", "ERR_MAILBOX_FULL"]);
    await b.call("release", "a");
    expect(await a.call("notes")).toEqual([0, 1]);
  });

  test('under "block" main waits for room, and for no longer than blockTimeoutMs', async () => {
    const { start } = await members({}, { mailbox: { capacity: 1, blockTimeoutMs: 50 } });
    const [a, b] = [await start("a"), await start("b")];
    const busy = a.call("hold", "a");
    await eventually(() => a.stats().mailbox.handled === 1);
    await a.cast("note", 0);
    expect(await a.cast("note", 1).catch(codeOf)).toBe("ERR_MAILBOX_FULL");
    await b.call("release", "a");
    await busy;
    await a.cast("note", 2);
    await eventually(async () => JSON.stringify(await a.call("notes")) === "[0,2]");
  });

  test("drop_newest drops what comes, drop_oldest what waits longest, and both are counted", async () => {
    for (const [overflow, kept] of [
      ["drop_newest", [0, 1]],
      ["drop_oldest", [2, 3]],
    ] as const) {
      const { system, start } = await members({}, { mailbox: { capacity: 2, overflow } });
      const [a, b] = [await start("a"), await start("b")];
      const busy = a.call("hold", "a");
      await eventually(() => a.stats().mailbox.handled === 1);
      for (let i = 0; i < 4; i++) await a.cast("note", i);
      await b.call("release", "a");
      await busy;
      await eventually(() => a.stats().mailbox.length === 0);
      expect(await a.call("notes")).toEqual(kept);
      await eventually(() => system.stats().deadLetters === 2);
      expect(a.stats().mailbox.dropped).toBe(2);
    }
  });
});

describe("lives", () => {
  test("a throw in init fails the start with its error, and starts no thread", async () => {
    const { supervisor, start } = await members();
    const error = await start("a", { fails: true }).catch((e: { code?: string; cause?: Error }) => e);
    expect(error).toMatchObject({ code: "ERR_INIT_FAILED", cause: { message: "no start" } });
    expect(supervisor.child("a")).toBeUndefined();
    expect(supervisor.partitions()[0]).toMatchObject({ members: 0 });
    expect(await (await start("a")).call("echo", 1)).toBe(1);
  });

  test("an init that never ends is ERR_INIT_TIMEOUT, and one that returns ignore() leaves nothing", async () => {
    const { supervisor, start } = await members({}, { startTimeoutMs: 100 });
    expect(await start("a", { never: true }).catch(codeOf)).toBe("ERR_INIT_TIMEOUT");
    await start("b", { ignores: true });
    await eventually(() => supervisor.countChildren().specs === 0);
  });

  test("a throw or a rejection in a handler ends that actor alone: its callers learn why, its siblings go on", async () => {
    const { supervisor, start } = await members();
    const b = await start("b");
    const mark = await b.call("mark");
    for (const method of ["crash", "reject"] as const) {
      const a = await start("a");
      const held = a.call("hold", "a");
      await eventually(() => a.stats().mailbox.handled === 1);
      const waiting = [a.call(method as "crash", "boom"), a.call("echo", 1)].map((call) =>
        call.catch((e: unknown) => e),
      );
      await b.call("release", "a");
      await held;
      for (const call of waiting) {
        expect(await call).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "error" } });
      }
      expect(await a.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
      expect(a.tryCast("note", 1)).toBe("closed");
      await eventually(() => supervisor.child("a") === undefined);
    }
    expect(await b.call("mark")).toBe(mark);
  });

  test("a rejection that nothing awaits ends the actor in whose turn it began, over timers and further promises", async () => {
    const { system, start } = await members();
    const b = await start("b");
    const mark = await b.call("mark");
    for (const method of ["stray", "strayTimer"] as const) {
      const a = await start("a");
      const down = new Promise<string>((told) => system.monitor(a, ({ reason }) => told(reason.kind)));
      await a.call(method);
      expect(await down).toBe("error");
    }
    expect(await b.call("mark")).toBe(mark);
  });

  test("a handler whose promise does not settle in time ends that actor alone, as unresponsive", async () => {
    const { start } = await members({}, { handlerTimeoutMs: 200 });
    const [a, b] = [await start("a"), await start("b")];
    const mark = await b.call("mark");
    expect(await a.call("never").catch((e: unknown) => e)).toMatchObject({
      code: "ERR_CALL_EXIT",
      reason: { kind: "unresponsive", method: "never" },
    });
    expect(await b.call("mark")).toBe(mark);
  });

  test("ctx.stop ends it in order, a kill at once, and terminate runs for the former only", async () => {
    const { system, start } = await members();
    const [a, b, c] = [await start("a"), await start("b"), await start("c")];
    const ends: string[] = [];
    for (const ref of [a, b]) system.monitor(ref, ({ id, reason }) => ends.push(`${id} ${reason.kind}`));
    await a.call("stop");
    await c.call("kill", b);
    await eventually(() => ends.length === 2);
    expect(ends).toEqual(["root/members/a normal", "root/members/b killed"]);
    expect(await c.call("letGo")).toEqual(["terminated a normal"]);
    system.exit(c, "kill");
    await eventually(async () => (await c.call("echo", 1).catch(codeOf)) === "ERR_NOPROC");
  });

  test("an id is unique under its supervisor, and free again when its actor has ended", async () => {
    const { supervisor, start } = await members({ count: 2 });
    const a = await start("a");
    expect(await start("a").catch((e: unknown) => e)).toMatchObject({
      code: "ERR_ALREADY_STARTED",
      ref: expect.anything(),
    });
    await supervisor.terminateChild("a");
    expect(await supervisor.terminateChild("a").catch(codeOf)).toBe("ERR_NOT_FOUND");
    const again = await start("a");
    expect(await again.call("echo", 1)).toBe(1);
    expect(await a.call("echo", 1).catch(codeOf)).toBe("ERR_NOPROC");
  });

  test("terminateChild has it handle what it has accepted, and run terminate", async () => {
    const { supervisor, start } = await members();
    const [a, b] = [await start("a"), await start("b")];
    const answers = [a.call("after", 20), a.call("echo", "accepted")];
    await supervisor.terminateChild("a");
    expect(await Promise.all(answers)).toEqual(["done", "accepted"]);
    expect(await b.call("letGo")).toEqual(["terminated a shutdown"]);
  });

  test("maxChildren is a bound, and a child that ended makes room", async () => {
    const { supervisor, start } = await members({ count: 2 }, {}, { maxChildren: 2 });
    await Promise.all([start("a"), start("b")]);
    expect(await start("c").catch(codeOf)).toBe("ERR_MAX_CHILDREN");
    await supervisor.terminateChild("a");
    await start("c");
  });

  test("startChildren starts all it can, in the order of the list", async () => {
    const { supervisor } = await members({ count: 2 });
    const refs = await supervisor.startChildren<typeof Member>([...Array(1_500).keys()].map((i) => ({ id: `m${i}` })));
    expect(refs.map(({ id }) => id)).toEqual([...Array(1_500).keys()].map((i) => `root/members/m${i}`));
    expect(await refs[1_499].call("echo", 1)).toBe(1);
    expect(supervisor.countChildren()).toMatchObject({ active: 1_500, workers: 1_500 });
    expect(supervisor.partitions().map((partition) => partition.members)).toEqual([750, 750]);
    const specs = [
      { id: "new" },
      { id: "m0" },
      { id: "bad", args: { fails: true } },
      { id: "f", args: { f: () => {} } },
    ];
    const error = (await supervisor.startChildren(specs).catch((e: unknown) => e)) as AggregateError;
    expect(error.errors.map(codeOf)).toEqual(["ERR_ALREADY_STARTED", "ERR_INIT_FAILED", "ERR_NOT_CLONEABLE"]);
    expect(supervisor.child("new")).toBeDefined();
    const refused = error.errors[2] as Error;
    expect(refused).toMatchObject({ id: "root/members/f", path: "args.f" });
    expect(refused.message).toMatch(/root\/members\/f.*args\.f is a function/);
    const alone = await supervisor.startChild({ id: "g", args: { g: [() => {}] } } as never).catch((e: unknown) => e);
    expect(alone).toMatchObject({ id: "root/members/g", path: "args.g[0]" });
  });
});
