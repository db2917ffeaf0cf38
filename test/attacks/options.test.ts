import { observeMetrics, registerMetrics, startObserver } from "@mini-otp/metrics";
import {
  type ActorSystem,
  comlinkActor,
  handleSignals,
  isActorError,
  pool,
  router,
  startSystem,
  supervisor,
} from "@mini-otp/runtime";
import { probe, runInline, startTestSystem, virtualClock } from "@mini-otp/runtime/testing";
import { defineActor } from "@mini-otp/worker-host";
import { createNoopMeter } from "@opentelemetry/api";
import { describe, expect, test } from "vitest";
import type Careless from "../fixtures/careless.actor.js";
import { fixture, testSystem } from "../support/system.js";

const work = new URL("../pool/fixtures/work.js", import.meta.url);

async function clinic() {
  const system = await testSystem({ intensity: 100 });
  const actor = await system.startChild<typeof Careless>({ id: "one", actor: fixture("careless") });
  return { system, actor };
}

type Clinic = Awaited<ReturnType<typeof clinic>>;
type Wrong = (clinic: Clinic & { system: any; actor: any }) => unknown;

/** Whatever way it fails: throws or rejects. */
async function failureOf(wrong: () => unknown): Promise<any> {
  try {
    await wrong();
  } catch (error) {
    return error;
  }
  throw new Error("it was accepted");
}

const NO_OPTIONS: [what: string, field: string, wrong: Wrong][] = [
  ["startSystem", "", () => startSystem(5 as never)],
  ["startSystem", "loger", () => startSystem({ loger: false } as never)],
  ["startSystem", "guard.intervalMs", () => startSystem({ guard: { intervalMs: 0 } })],
  ["startSystem", "intensity", () => startSystem({ intensity: -1 })],
  ["startTestSystem", "clock", () => startTestSystem({ clock: 5 as never })],
  ["handleSignals", "system", ({ system }) => handleSignals({ ...system } as never)],
  ["handleSignals", "", ({ system }) => handleSignals(system, 5 as never)],
  ["handleSignals", "signals", ({ system }) => handleSignals(system, { signals: "SIGTERM" as never })],
  ["comlinkActor", "module", () => comlinkActor(5 as never)],
  ["defineActor", "handlers.hello", () => defineActor({ handlers: { hello: 5 as never } })],
  ["runInline", "actor", () => (runInline as any)({})],
  ["runInline", "", () => runInline(defineActor({ handlers: {} }), undefined, 5 as never)],
  ["probe", "answers", () => probe({ answers: 5 as never })],
  ["advance", "ms", () => virtualClock().advance(-1)],
  ["stop", "timeoutMs", ({ system }) => system.stop({ timeoutMs: Number.NaN })],
  ["stop", "reason", ({ system }) => system.stop({ reason: "shutdown" })],
  ["stop", "", ({ system }) => system.stop(5)],
  ["stop", "", ({ system }) => system.stop(Promise.resolve())],
  ["on", "event", ({ system }) => system.on(5, () => {})],
  ["on", "listener", ({ system }) => system.on("actor_exited", 5)],
  ["onLog", "listener", ({ system }) => system.onLog(5)],
  ["events", "", ({ system }) => system.events(5)],
  ["events", "signal", ({ system }) => system.events({ signal: {} })],
  ["monitor", "ref", ({ system }) => system.monitor(5)],
  ["exit", "ref", ({ system }) => system.exit(5)],
  ["exit", "reason", ({ system, actor }) => system.exit(actor)],
  ["suspend", "ref", ({ system }) => system.suspend(5)],
  ["getState", "ref", ({ system }) => system.getState("x")],
  ["upgrade", "", ({ system, actor }) => system.upgrade(actor, fixture("careless"), 5)],
  ["upgrade", "timeout", ({ system, actor }) => system.upgrade(actor, fixture("careless"), { timeout: 5 })],
  ["upgrade", "module", ({ system, actor }) => system.upgrade(actor, 5)],
  ["trace", "", ({ system, actor }) => system.trace(actor, 5)],
  ["trace", "signal", ({ system, actor }) => system.trace(actor, { signal: {} })],
  ["cpuProfile", "ms", ({ system, actor }) => system.cpuProfile(actor, 2 ** 31)],
  ["whereis", "name", ({ system }) => system.whereis(5)],
  ["terminateChild", "id", ({ system }) => system.terminateChild(5)],
  ["child", "id", ({ system }) => system.child(Symbol("one"))],
  ["id=root/one with", "", ({ actor }) => actor.with(5)],
  ["id=root/one with", "", ({ actor }) => actor.with(null)],
  ["registerMetrics", "registry", ({ system }) => registerMetrics(system, { registry: 5, prefix: {} } as never)],
  ["registerMetrics", "prefix", ({ system }) => registerMetrics(system, { prefix: {} } as never)],
  ["observeMetrics", "meter", ({ system }) => observeMetrics(system, {} as never)],
  ["observeMetrics", "prefix", ({ system }) => observeMetrics(system, { meter: createNoopMeter(), prefix: "1" })],
  ["registerMetrics", "system", ({ system }) => registerMetrics(Promise.resolve(system) as never)],
  ["startObserver", "system", () => startObserver(5 as never)],
  ["startObserver", "port", ({ system }) => startObserver(system, { port: 2 ** 31 })],
  ["startObserver", "allowedHosts", ({ system }) => startObserver(system, { allowedHosts: "a" } as never)],
];

// Promise: wrong-option-argument-err-invalid-option
test.each(NO_OPTIONS)("%s says what is wrong with its %s, and nothing has begun", async (what, field, wrong) => {
  const { system, actor } = await clinic();
  const listeners = process.eventNames().map((name) => [name, process.listenerCount(name as string)]);
  const error = await failureOf(() => wrong({ system, actor } as never));
  expect(isActorError(error, "ERR_INVALID_OPTION"), String(error.stack)).toBe(true);
  expect(error).toMatchObject({ function: what, field, allowed: expect.any(String) });
  expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
  expect(process.eventNames().map((name) => [name, process.listenerCount(name as string)])).toEqual(listeners);
  expect(await actor.call("echo", "well")).toBe("well");
});

test("what is no system but the promise of one is told apart, before a signal is listened to", async () => {
  const promise = startSystem({ logger: false });
  const before = process.listenerCount("SIGTERM");
  expect(() => handleSignals(promise as never)).toThrow("what startSystem resolves to, awaited");
  expect(process.listenerCount("SIGTERM")).toBe(before);
  await (await promise).stop();
});

test("an option that is misspelt is told with the one that was meant", async () => {
  const { system } = await clinic();
  await expect(system.stop({ timeoutMS: 5 } as never)).rejects.toThrow(
    'stop: no option timeoutMS; there are: timeoutMs, reason; did you mean "timeoutMs"?',
  );
  await expect(startSystem({ loger: false } as never)).rejects.toThrow('did you mean "logger"?');
});

// Promise: option-read-once-whose
test("options whose getters throw are refused, and each is read once", async () => {
  const { system, actor } = await clinic();
  const broken = {
    get timeoutMs(): number {
      throw new Error("not for you");
    },
  };
  expect(() => actor.with(broken)).toThrow("reading it threw");
  await expect(system.stop(broken)).rejects.toMatchObject({ code: "ERR_INVALID_OPTION", field: "timeoutMs" });
  let reads = 0;
  const counted = {
    get timeoutMs() {
      return ++reads === 1 ? 1_000 : -1;
    },
  };
  expect(await actor.with(counted).call("echo", reads)).toBe(1);
  expect(reads).toBe(1);
});

test("a pool refuses options for a task that make no sense", async () => {
  const { system } = await clinic();
  const threads = await system.startChild(pool({ id: "pool", filename: work, maxThreads: 1 }));
  for (const options of [5, null, { name: 5 }, { signal: {} }, { transferList: {} }]) {
    await expect(threads.run(1, options as never)).rejects.toMatchObject({ code: "ERR_INVALID_OPTION" });
  }
  expect(await threads.run(21)).toBe(42);
});

describe("a child's id", () => {
  const NO_IDS: unknown[] = [
    "",
    ".",
    "..",
    "a/b",
    "\0",
    "\u001b[31m",
    "two\nlines",
    "\u2028",
    "\ud800",
    "a".repeat(256),
    5,
    Symbol("id"),
    null,
  ];
  const shown = NO_IDS.map((id) => [JSON.stringify(id)?.slice(0, 20) ?? String(id), id] as const);

  // Promise: child-s-id-1
  test.each(shown)("may not be %s", async (_shown, id) => {
    const { system } = await clinic();
    const error = await failureOf(() => system.startChild({ id: id as string, actor: fixture("careless") }));
    expect(error).toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", field: "id", value: id });
    expect(error.message).not.toMatch(/[^\P{Cc}]/u);
    expect(system.countChildren().specs).toBe(1);
  });

  // Promise: child-s-id-1
  test("may be any other text", async () => {
    const { system } = await clinic();
    for (const id of ["...", "räuber", "日本", "a b", "a (gone)", "🎲", "a".repeat(255)]) {
      const ref = await system.startChild<typeof Careless>({ id, actor: fixture("careless") });
      expect(ref.id).toBe(`root/${id}`);
      expect(await ref.call("echo", id)).toBe(id);
    }
  });
});

test("a registered name is a text that every thread reads the same", async () => {
  const { system } = await clinic();
  for (const name of ["", 5, "\ud800", "a".repeat(256), ["a"]]) {
    const spec = { id: "named", actor: fixture("careless"), name: name as string };
    await expect(system.startChild(spec)).rejects.toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", field: "name" });
  }
});

// Promise: wrong-option-argument-err-invalid-option
test("what is no spec is refused where it is written", () => {
  for (const make of [supervisor, pool, router] as ((spec: never) => unknown)[]) {
    for (const spec of [5, null, undefined, "a", []]) {
      expect(() => make(spec as never)).toThrow(expect.objectContaining({ code: "ERR_INVALID_CHILD_SPEC" }));
    }
  }
});

test("a system that has stopped refuses what is wrong as one that runs", async () => {
  const system: ActorSystem = await startSystem({ logger: false });
  await system.stop();
  await expect(system.stop({ timeoutMs: -1 })).rejects.toMatchObject({ code: "ERR_INVALID_OPTION" });
  expect(() => system.on(5 as never, () => {})).toThrow(expect.objectContaining({ code: "ERR_INVALID_OPTION" }));
});
