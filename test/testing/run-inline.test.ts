import { pool, router } from "@mini-otp/runtime";
import { runInline, startTestSystem, virtualClock } from "@mini-otp/runtime/testing";
import { type ActorRef, defineActor, ignore, type PoolRef, type RouterRef } from "@mini-otp/worker-host";
import { expect, test } from "vitest";
import Careless from "../fixtures/careless.actor.js";
import { eventually } from "../support/eventually.js";

const Ticker = defineActor({
  init: (args: { periodMs: number }, ctx) => {
    ctx.sendInterval(args.periodMs, "tick");
    return { ticks: 0 };
  },
  handlers: {
    tick: (ctx) => void ctx.state.ticks++,
    crash() {
      throw new Error("let it crash");
    },
    never(ctx) {
      ctx.state.ticks = Number.NaN;
      return new Promise<void>(() => {});
    },
  },
});

test("timers, call timeouts and restart windows go by a virtual clock", async () => {
  const clock = virtualClock();
  const ticker = await runInline(Ticker, { periodMs: 60_000 }, { clock });
  await clock.advance(180_000);
  expect(ticker.state).toEqual({ ticks: 3 });
  const late = ticker
    .with({ timeoutMs: 5000 })
    .call("never")
    .catch((e: { code: string }) => e.code);
  await clock.advance(5000);
  expect(await late).toBe("ERR_CALL_TIMEOUT");
});

test("a call that is given no time has what callTimeoutMs says, by the actor's clock", async () => {
  const clock = virtualClock();
  const options = { clock, callTimeoutMs: 40 };
  const ticker = await runInline(Ticker, { periodMs: 60_000 }, options);
  const outcomes: unknown[] = [];
  const timedOut = (call: Promise<unknown>) => void call.catch(({ timeoutMs }) => outcomes.push(timeoutMs));
  timedOut(ticker.call("never"));
  await clock.advance(39);
  expect(outcomes).toEqual([]);
  await clock.advance(1);
  await eventually(() => outcomes.length === 1);
  timedOut(ticker.with({ timeoutMs: 50 }).call("never"));
  await clock.advance(50);
  await eventually(() => outcomes.length === 2);
  expect(outcomes).toEqual([40, 50]);
  const refused = runInline(Ticker, { periodMs: 1 }, { callTimeoutMs: -1 });
  await expect(refused).rejects.toMatchObject({ code: "ERR_INVALID_OPTION", field: "callTimeoutMs" });
  const forEver = await runInline(Ticker, { periodMs: 60_000 }, { clock, callTimeoutMs: Infinity });
  timedOut(forEver.call("never"));
  await clock.advance(10 * 60_000);
  expect(outcomes).toEqual([40, 50]);
  forEver.exit("kill");
});

test("an actor that crashes more often than the intensity allows stays down", async () => {
  const clock = virtualClock();
  const ticker = await runInline(Ticker, { periodMs: 1000 }, { clock, intensity: 1, periodMs: 5000 });
  await ticker.call("crash").catch(() => {});
  await clock.advance(5001);
  expect([ticker.incarnation, ticker.running]).toEqual([2, true]);
  for (let crash = 0; crash < 2; crash++) await ticker.call("crash").catch(() => {});
  expect(await ticker.exited).toMatchObject({ kind: "error" });
  expect(ticker.tryCast("tick")).toBe("closed");
});

test("a transient actor that stops stays down; a permanent one starts anew", async () => {
  const Stopper = defineActor({ handlers: { stop: (ctx) => ctx.stop() } });
  const transient = await runInline(Stopper, undefined, { restart: "transient" });
  await transient.cast("stop");
  expect(await transient.exited).toEqual({ kind: "normal" });
  const permanent = await runInline(Stopper);
  await permanent.call("stop");
  await eventually(() => permanent.incarnation === 2 && permanent.running);
});

test("an init that throws rejects, one that answers ignore() leaves it not running", async () => {
  const Failing = defineActor({
    init: () => {
      throw new Error("no");
    },
    handlers: {},
  });
  expect(await runInline(Failing).catch((e: unknown) => e)).toMatchObject({ code: "ERR_INIT_FAILED" });
  const ignored = await runInline(defineActor({ init: () => ignore(), handlers: {} }));
  expect(ignored.running).toBe(false);
});

test("a handler that never returns can be killed, and the actor starts anew", async () => {
  const ticker = await runInline(Ticker, { periodMs: 1000 });
  const hung = ticker.call("never").catch((e: unknown) => e);
  await eventually(() => Number.isNaN(ticker.state.ticks));
  ticker.exit("kill");
  expect(await hung).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "killed" } });
  await ticker.cast("tick");
  await ticker.stop();
  expect([ticker.incarnation, ticker.state.ticks]).toEqual([2, 1]);
});

// Promise: would-block-thread-refused
test("what would block the thread is refused", async () => {
  const ticker = await runInline(Ticker, { periodMs: 1000 });
  expect(() => ticker.callSync("tick")).toThrow(expect.objectContaining({ code: "ERR_WRONG_THREAD" }));
  await ticker.stop();
});

test("what is refused in a thread is refused inline: reasons, references and delays that are none", async () => {
  const careless = await runInline(Careless);
  expect(await careless.call("use", "stop", "shutdown")).toContain("is no exit reason");
  expect(await careless.call("use", "exit", careless, "shutdown")).toContain("is no exit reason");
  expect(await careless.call("use", "monitor", undefined)).toContain("ctx.monitor: takes a reference");
  expect(await careless.call("use", "sendAfter", "100", "echo")).toContain('RangeError: sendAfter: delayMs="100"');
  expect(() => careless.exit("shutdown" as never)).toThrow(TypeError);
  expect([careless.incarnation, careless.running]).toEqual([1, true]);
  await careless.stop();
});

test("a link inline takes its partner along for the reasons it would in a thread", async () => {
  const partners = async () => {
    const [one, other] = [await runInline(Careless, {}, { restart: "temporary" }), await runInline(Careless)];
    await one.call("use", "link", other);
    return { one, other };
  };
  const stopped = await partners();
  await stopped.other.stop({ kind: "shutdown", detail: "enough" });
  expect(await stopped.one.exited).toEqual({ kind: "shutdown", detail: "enough" });
  const gone = await partners();
  await gone.other.stop({ kind: "normal" });
  await gone.one.cast("use", "link", gone.other);
  expect(await gone.one.exited).toEqual({ kind: "noproc" });
});

test("an inline actor uses the routers and the pools of a test system", async () => {
  const Client = defineActor({
    init: (args: { members: RouterRef; work: PoolRef }) => args,
    handlers: {
      async everyone({ state }) {
        const turns = [await state.members.call("who"), await state.members.call("who")];
        return [...turns, await state.members.forKey("ada").call("who"), (await state.members.callAll("who")).length];
      },
      double: ({ state }, n: number) => state.work.run(n),
    },
  });
  await using system = await startTestSystem();
  const actor = new URL("../router/fixtures/member.actor.js", import.meta.url);
  const members = await system.startChild(router({ id: "pair", actor, size: 2, route: "least_loaded" }));
  const filename = new URL("../pool/fixtures/work.js", import.meta.url);
  const work = await system.startChild(pool({ id: "work", filename, maxThreads: 1 }));
  await using client = await runInline(Client, { members, work });
  const [one, other, keyed, all] = (await client.call("everyone")) as unknown[];
  expect([one, other].every((id) => /^root\/pair\/[01]$/.test(id as string))).toBe(true);
  expect(keyed).toBe(await members.forKey("ada").call("who"));
  expect(all).toBe(2);
  expect(await client.call("double", 21)).toBe(42);
});

// Promise: inline-actor-stopped-forgotten
test("an inline actor that has stopped is forgotten: its name is free, and references to it lead nowhere", async () => {
  const finder = defineActor({ handlers: { find: (ctx, name: string) => ctx.whereis(name)?.id } });
  const asks = await runInline(finder);
  const find = (name: string) => asks.call("find", name);
  const first = await runInline(Ticker, { periodMs: 60_000 }, { id: "first", name: "ticker" });
  expect(await find("ticker")).toBe("first");
  await first.stop();
  expect(await find("ticker")).toBeUndefined();
  await expect(first.call("tick")).rejects.toMatchObject({ code: "ERR_NOPROC" });
  expect(first.tryCast("tick")).toBe("closed");
  const second = await runInline(Ticker, { periodMs: 60_000 }, { id: "second", name: "ticker" });
  expect(await find("ticker")).toBe("second");
  await second.stop();
  await asks.stop();
});

test("a link of an inline actor to an actor of a system is refused, and not taken for one to an actor that is gone", async () => {
  await using system = await startTestSystem();
  const actor = new URL("../fixtures/counter.actor.js", import.meta.url);
  const counter = await system.startChild({ id: "counter", actor });
  const asks = await runInline(Careless);
  expect(await asks.call("use", "link", counter)).toContain(
    "is linked to inline actors only, and root/counter is a system's",
  );
  expect([asks.incarnation, asks.running]).toEqual([1, true]);
  await asks.stop();
});

test("references in messages belong to who gets them, those in replies to the caller", async () => {
  const Friend = defineActor({
    handlers: {
      self: (ctx) => ctx.self,
      name: () => "friend",
      ask: (_ctx, other: ActorRef) => other.call("name").catch(({ code }: { code: string }) => code),
    },
  });
  const [one, other] = [await runInline(Friend), await runInline(Friend)];
  const self = await one.call("self");
  expect(await self.call("name")).toBe("friend");
  expect([await one.call("ask", one), await one.call("ask", other)]).toEqual(["ERR_CALLING_SELF", "friend"]);
  expect(await other.call("ask", one)).toBe("friend");
  await Promise.all([one.stop(), other.stop()]);
});

test("an exit signal to an inline actor that has stopped reaches no actor of a system", async () => {
  await using system = await startTestSystem();
  const asks = await runInline(Careless);
  const stopped = await Promise.all(Array.from({ length: 20 }, () => runInline(Ticker, { periodMs: 60_000 })));
  const bystanders = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      system.startChild({ id: `bystander-${i}`, actor: new URL("../fixtures/counter.actor.js", import.meta.url) }),
    ),
  );
  for (const ref of stopped) {
    await ref.stop();
    await asks.call("use", "exit", ref, "kill");
  }
  for (const bystander of bystanders) expect(await bystander.call("incarnation")).toBe(1);
  await asks.stop();
});
