import { EventEmitter } from "node:events";
import { pool } from "@mini-otp/runtime";
import { probe, runInline, startTestSystem, virtualClock } from "@mini-otp/runtime/testing";
import { type ActorRef, defineActor, ignore, type PoolRef } from "@mini-otp/worker-host";
import { describe, expect, onTestFinished, test } from "vitest";
import Member, { type Args } from "../light/fixtures/member.actor.js";
import { lightMembers } from "../light/members.js";
import { eventually } from "../support/eventually.js";
import { recordingLogger } from "../support/recording-logger.js";

type Start = (id: string, args?: Args, more?: object) => Promise<ActorRef<typeof Member>>;

/** How the members of one thread are started. */
const WAYS: readonly (readonly [string, () => Promise<Start>])[] = [
  [
    "inline",
    async () => async (id, args, more) => {
      const ref = await runInline(Member, args as never, { light: true, id, ...more });
      onTestFinished(() => ref[Symbol.asyncDispose]());
      return ref;
    },
  ],
  [
    "in a shared thread",
    async () => {
      const { start } = await lightMembers({});
      return start as Start;
    },
  ],
];

const exitOf = (call: Promise<unknown>): Promise<any> => call.catch(({ code, reason }) => ({ code, reason }));

describe.each(WAYS)("a light actor %s", (_way, started) => {
  test("lets go of what it owns when its life ends, the last first, and is temporary unless told otherwise", async () => {
    const start = await started();
    const [a, asker] = [await start("a", { owns: "one" }), await start("asker")];
    await asker.call("letGo");
    await a.call("crash", "over").catch(() => {});
    expect(await asker.call("letGo")).toEqual(["one"]);
    expect(await exitOf(a.call("echo", 1))).toMatchObject({ code: "ERR_NOPROC" });
    const b = await start("b", { owns: "two" }, { restart: "permanent" });
    await b.call("crash", "over").catch(() => {});
    expect(await b.call("path")).toMatchObject({ incarnation: 2 });
    expect(await asker.call("letGo")).toEqual(["two"]);
  });

  test("gets events as messages in its turn, until its life ends", async () => {
    const start = await started();
    const [a, asker] = [await start("a", { listens: "events" }), await start("asker")];
    const value = { same: true };
    for (const each of [1, value]) expect(await asker.call("emit", "events", each)).toBe(true);
    expect(await a.call("notes")).toEqual([1, value]);
    expect(await asker.call("listeners", "events")).toBe(1);
    await a.call("crash", "over").catch(() => {});
    expect(await asker.call("listeners", "events")).toBe(0);
  });

  test("spawns siblings, and hands the object itself over", async () => {
    const start = await started();
    const a = await start("a");
    const b = (await a.call("spawn", "b", { owns: "its own" }, true)) as ActorRef<typeof Member>;
    expect(await b.call("handedIsShared")).toBe(true);
    const { id, args, incarnation } = await b.call("path");
    expect([id, args, incarnation]).toEqual([a.id.replace(/a$/, "b"), { owns: "its own" }, 1]);
    const unnamed = (await a.call("spawn", undefined, undefined, false)) as ActorRef<typeof Member>;
    expect(unnamed.id).toMatch(/child-0-1$/);
    expect(await unnamed.call("echo", 2)).toBe(2);
    const taken = await exitOf(a.call("spawn", "b", undefined, false));
    expect(taken).toMatchObject({ code: "ERR_CALL_EXIT", reason: { error: { code: "ERR_ALREADY_STARTED" } } });
    expect(await b.call("echo", 3)).toBe(3);
  });

  test("cannot hand over to one that is started again", async () => {
    const start = await started();
    const given = await exitOf((await start("a")).call("spawn", "b", undefined, true, "permanent"));
    expect(given.reason.error).toMatchObject({ code: "ERR_INVALID_OPTION", function: "ctx.spawn", field: "hand" });
  });

  test("neither blocks its thread nor sends streams", async () => {
    const start = await started();
    const [other, ...members] = [await start("other"), await start("a"), await start("b"), await start("c")];
    for (const [at, what] of (["whereis", "callSync", "castSync"] as const).entries()) {
      const { reason } = await exitOf(members[at].call("blocks", what, other));
      expect(reason.error).toMatchObject({ code: "ERR_WRONG_THREAD" });
    }
    const read = (async () => {
      for await (const _ of (other as ActorRef).stream("echo", 1)) throw new Error("an item");
    })();
    await expect(read).rejects.toMatchObject({ code: "ERR_NO_STREAM" });
    expect(await other.call("lookup", "nothing")).toBeUndefined();
  });

  test("has a context that refuses once its life has ended, while its code runs on", async () => {
    const start = await started();
    const [a, asker] = [await start("a"), await start("asker")];
    await asker.call("letGo");
    await a.cast("outlive", "key");
    await eventually(() => a.stats().mailbox.length === 0);
    await asker.call("kill", a);
    expect(await asker.call("release", "key")).toBe(true);
    const gone = "ERR_NOPROC";
    const noted: string[] = [];
    await eventually(async () => noted.push(...(await asker.call("letGo"))) > 0);
    expect(noted).toEqual([`true ${[gone, gone, gone, gone]}`]);
  });
});

const Listener = defineActor({
  init: (args: { watches?: boolean } | undefined) => ({ watches: args?.watches, told: [] as string[] }),
  handlers: {
    accept(ctx, id: string | undefined, args: unknown) {
      const ref = ctx.spawn({ id, args }, { hand: { open: true } });
      if (ctx.state.watches) ctx.monitor(ref);
      return ref;
    },
    told: (ctx) => ctx.state.told,
    startChild: (ctx) => ctx.startChild({ actor: "./none.js" }).catch(({ code }) => code),
    read: async (_ctx, from: ActorRef | PoolRef) => {
      try {
        if ("run" in from) for await (const _ of from.stream(1)) return "an item";
        else for await (const _ of (from as ActorRef).stream("items")) return "an item";
      } catch (error) {
        return String(error);
      }
      return "nothing";
    },
  },
  info(ctx, { type, id, reason }: { type: string; id: string; reason: { kind: string } }) {
    ctx.state.told.push(`${type} ${id} ${reason.kind}`);
  },
});

const Connection = defineActor({
  init(args: "fails" | "ignores" | "dispose fails" | undefined, ctx) {
    const socket = ctx.handed as { open: boolean };
    if (args === "dispose fails")
      ctx.own(0, () => {
        throw new Error("stuck");
      });
    ctx.own(socket, (it) => {
      it.open = false;
    });
    if (args === "dispose fails")
      ctx.own(0, () => {
        throw new Error("stuck");
      });
    if (args === "fails") throw new Error("no connection");
    return args === "ignores" ? ignore() : { socket };
  },
  handlers: { isOpen: (ctx) => ctx.state.socket.open },
});

test("a listener spawns what its template says, and the test sees their states", async () => {
  const options = { light: true, id: "listener@0", template: Connection, restart: "permanent" } as const;
  await using listener = await runInline(Listener, {}, options);
  const ref = await listener.call("accept", "one", undefined);
  expect(await ref.call("isOpen")).toBe(true);
  await listener.call("accept", undefined, undefined);
  const [one, other] = listener.siblings;
  await eventually(() => other.running);
  expect([one.id, other.id, other.siblings.length]).toEqual(["one", "child-0-1", 2]);
  const { socket } = one.state;
  await one.stop();
  expect([socket.open, listener.siblings.map(({ id }) => id)]).toEqual([false, ["child-0-1"]]);
  // Its id is free, and disposing of the first one ends all.
  const again = await listener.call("accept", "one", undefined);
  expect(await again.call("isOpen")).toBe(true);
  await listener[Symbol.asyncDispose]();
  expect([other.running, other.state.socket.open, again.tryCast("isOpen")]).toEqual([false, false, "closed"]);
});

test("an init that fails or ignores is the exit of what was spawned, and lets go of what it was handed", async () => {
  await using listener = await runInline(Listener, { watches: true }, { light: true, template: Connection });
  for (const args of ["fails", "ignores"]) {
    const ref = await listener.call("accept", args, args);
    await eventually(() => listener.siblings.length === 0);
    expect(await ref.call("isOpen").catch(({ code }: { code: string }) => code)).toBe("ERR_NOPROC");
  }
  expect(await listener.call("told")).toEqual(["DOWN fails init_failed", "DOWN ignores normal"]);
  const socket = { open: true };
  const start = runInline(Connection, "fails", { light: true, hand: socket });
  await expect(start).rejects.toMatchObject({ code: "ERR_INIT_FAILED" });
  expect(socket.open).toBe(false);
});

test("what one dispose throws is a line of log, and keeps nothing else from being let go", async () => {
  const { logger, lines } = recordingLogger();
  const socket = { open: true };
  const connection = await runInline(Connection, "dispose fails", { light: true, hand: socket, logger });
  await connection.stop();
  expect(socket.open).toBe(false);
  expect(lines.filter(({ message }) => message === "what the actor owned could not be let go")).toHaveLength(2);
});

test("a first life that does not begin is no failure of a budget: it is gone", async () => {
  let lives = 0;
  const Failing = defineActor({
    init(args: "fails" | undefined) {
      if (args !== "fails") return;
      lives++;
      throw new Error("no start");
    },
    handlers: { spawn: (ctx) => void ctx.spawn({ id: "failing", args: "fails" }) },
  });
  await using first = await runInline(Failing, undefined, { light: true, restart: "permanent" });
  await first.call("spawn");
  await eventually(() => lives > 0 && first.siblings.length === 0);
  expect([lives, first.incarnation]).toEqual([1, 1]);
});

test("each spawned actor has a budget of restarts of its own, by the clock", async () => {
  const Fragile = defineActor({
    handlers: {
      spawn: (ctx, id: string) => ctx.spawn({ id, restart: "permanent" }),
      crash() {
        throw new Error("let it crash");
      },
    },
  });
  const clock = virtualClock();
  await using first = await runInline(Fragile, undefined, { light: true, intensity: 1, periodMs: 1000, clock });
  const [a, b] = [await first.call("spawn", "a"), await first.call("spawn", "b")];
  const crash = (ref: ActorRef) => ref.call("crash").catch(({ code }: { code: string }) => code);
  expect([await crash(a), await crash(b)]).toEqual(["ERR_CALL_EXIT", "ERR_CALL_EXIT"]);
  await clock.advance(1001);
  expect([await crash(a), await crash(a), await crash(a)]).toEqual(["ERR_CALL_EXIT", "ERR_CALL_EXIT", "ERR_NOPROC"]);
  expect(first.siblings.map(({ id, incarnation }) => `${id} ${incarnation}`)).toEqual(["b 2"]);
});

test("what a light actor has not is refused inline: children, streams of actors and pools", async () => {
  await using system = await startTestSystem();
  const streaming = probe({
    answers: {
      *items() {
        yield 1;
      },
    },
  });
  const filename = new URL("../pool/fixtures/work.js", import.meta.url);
  const work = await system.startChild(pool({ id: "work", filename, maxThreads: 1 }));
  await using light = await runInline(Listener, {}, { light: true });
  expect(await light.call("startChild")).toBe("ERR_WRONG_THREAD");
  for (const from of [streaming, work]) {
    expect(await light.call("read", from)).toContain("a light actor neither sends nor reads streams");
  }
  await using alone = await runInline(Listener, {});
  expect(await alone.call("read", streaming)).toBe("an item");
});

test("without `light` the context says where spawn, own and on work", async () => {
  const Careless = defineActor({
    handlers: {
      use: (ctx, what: "spawn" | "own" | "on") => {
        try {
          if (what === "spawn") ctx.spawn();
          else if (what === "own") ctx.own(0, () => {});
          else ctx.on(new EventEmitter(), "x", "use");
        } catch (error) {
          const { code, message } = error as { code: string; message: string };
          return `${code} ${message}`;
        }
        return "nothing";
      },
    },
  });
  await using alone = await runInline(Careless);
  for (const what of ["spawn", "own", "on"] as const) {
    const refused = await alone.call("use", what);
    expect(refused).toMatch(new RegExp(`^ERR_WRONG_THREAD .*ctx\\.${what} is for actors that share a thread`));
    expect(refused).toContain("light: true");
  }
  expect(alone.siblings).toEqual([]);
});

test("options that do not go with each other are refused", async () => {
  const refused = (options: object) =>
    runInline(Listener, {}, options).catch(({ code, field }: { code: string; field: string }) => `${code} ${field}`);
  expect(await refused({ hand: {} })).toBe("ERR_INVALID_OPTION hand");
  expect(await refused({ template: Connection })).toBe("ERR_INVALID_OPTION template");
  expect(await refused({ light: true, name: "n" })).toBe("ERR_INVALID_OPTION name");
  expect(await refused({ light: true, hand: {}, restart: "permanent" })).toBe("ERR_INVALID_OPTION hand");
  expect(await refused({ light: true, template: {} })).toBe("ERR_INVALID_OPTION template");
  expect(await refused({ light: 1 })).toBe("ERR_INVALID_OPTION light");
});
