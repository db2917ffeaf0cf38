import type { ActorSpec, SystemOptions } from "@mini-otp/runtime";
import type { LoggerOptions } from "pino";
import { expect, test } from "vitest";
import type Scribe from "../fixtures/scribe.actor.js";
import { eventually } from "../support/eventually.js";
import { pinoLines } from "../support/log-lines.js";
import { recordingLogger } from "../support/recording-logger.js";
import { fixture, testSystem } from "../support/system.js";

async function scribeSystem(options: LoggerOptions = {}, spec: Partial<ActorSpec> = {}, system: SystemOptions = {}) {
  const { logger, lines } = pinoLines(options);
  const running = await testSystem({ logger, ...system });
  const scribe = await running.startChild<typeof Scribe>({
    id: "scribe",
    actor: fixture("scribe"),
    ...(spec as object),
  });
  /** The actor's lines, once there are `count`. */
  const own = async (count: number) => {
    const found = () => lines.filter(({ actor, thread }) => actor === "root/scribe" && thread !== undefined);
    await eventually(() => found().length >= count);
    return found();
  };
  return { system: running, scribe, logger, lines, own };
}

test("a line arrives in main's pino with the actor's id, incarnation and thread", async () => {
  const { scribe, own } = await scribeSystem();
  await scribe.call("log", "info", { batch: 3 }, "parsed %s in %d ms", "a.ts", 7);
  await scribe.call("log", "warn", "plain");
  const [first, second] = await own(2);
  expect(first).toMatchObject({
    level: 30,
    msg: "parsed a.ts in 7 ms",
    batch: 3,
    actor: "root/scribe",
    incarnation: 1,
  });
  expect(first.thread).toBeGreaterThan(0);
  expect(second).toMatchObject({ level: 40, msg: "plain", thread: first.thread });
});

test("lines of init, and of the next incarnation, say so", async () => {
  const { scribe, own } = await scribeSystem({}, { args: { greeting: "hello" } });
  await scribe.call("crash", 1).catch(() => {});
  await scribe.call("log", "info", "again");
  const lines = await own(4);
  expect(lines.map(({ msg, incarnation }) => [msg, incarnation])).toEqual([
    ["hello", 1],
    ["last", 1],
    ["hello", 2],
    ["again", 2],
  ]);
  expect(new Set(lines.map(({ thread }) => thread)).size).toBe(2);
});

// Promise: crash-stack-in-one
test("an error that an actor logs has the frames of the application, and no others", async () => {
  const { scribe, own } = await scribeSystem();
  await scribe.call("logError", "broken");
  for (const { err } of await own(2)) {
    expect(err.stack).toContain("scribe.actor");
    expect(err.stack).not.toContain("start-thread.cjs");
  }
});

test("children carry the bindings of their parents", async () => {
  const { scribe, own } = await scribeSystem();
  await scribe.call("child", { request: 7, user: "ann" }, { user: "bob", part: 1 }, { extra: true }, "done");
  const [line] = await own(1);
  expect(line).toMatchObject({ request: 7, user: "bob", part: 1, extra: true, msg: "done", actor: "root/scribe" });
});

test("a child has a level, serializers and a prefix of its own", async () => {
  const { scribe, own } = await scribeSystem();
  expect(await scribe.call("childOptions")).toEqual(["warn", false, true, { unit: 7 }]);
  const [line] = await own(1);
  expect(line).toMatchObject({ level: 40, msg: "[unit] high enough", unit: 8 });
});

test("a field cannot pass for another actor's line", async () => {
  const { scribe, own } = await scribeSystem();
  await scribe.call("log", "info", { actor: "root/other", incarnation: 99 }, "forged");
  const [line] = await own(1);
  expect(line).toMatchObject({ actor: "root/scribe", incarnation: 1 });
});

// Promise: redaction-serializers-main-s
test("main's redaction applies to lines and to bindings", async () => {
  const { scribe, own } = await scribeSystem({ redact: ["password", "user.token"] });
  await scribe.call("log", "info", { password: "p", user: { token: "t", name: "ann" } }, "line");
  await scribe.call("child", { password: "p" }, { user: { token: "t" } }, "bindings");
  const [line, bindings] = await own(2);
  expect(line).toMatchObject({ password: "[Redacted]", user: { token: "[Redacted]", name: "ann" } });
  expect(bindings).toMatchObject({ password: "[Redacted]", user: { token: "[Redacted]" } });
});

// Promise: redaction-serializers-main-s
test("main's serializers apply to lines and to bindings, and one that throws costs its line only", async () => {
  const serializers = {
    size: (size: number) => `${size} MiB`,
    poison: () => {
      throw new Error("no serializer for this");
    },
  };
  const { scribe, own } = await scribeSystem({ serializers });
  await scribe.call("log", "info", { size: 3 }, "line");
  await scribe.call("child", { size: 4 }, {}, "bindings");
  await scribe.call("log", "info", { poison: true }, "poisoned");
  await scribe.call("log", "info", "after");
  const lines = await own(4);
  expect(lines.map(({ msg, size }) => [msg, size])).toEqual([
    ["line", "3 MiB"],
    ["bindings", "4 MiB"],
    ["a line of the actor's log could not be written", undefined],
    ["after", undefined],
  ]);
  expect(lines[2].err.message).toBe("no serializer for this");
});

test("an error keeps its name, message, stack, code and cause", async () => {
  const { scribe, own } = await scribeSystem();
  await scribe.call("error");
  const [alone, told, nested] = await own(3);
  expect(alone).toMatchObject({ level: 50, msg: "broken", err: { type: "TypeError", code: "E_BROKEN" } });
  expect(alone.err.stack).toMatch(/scribe\.actor/);
  expect(alone.err.stack).toContain("the cause");
  expect(told).toMatchObject({ msg: "with a message", err: { message: expect.stringContaining("broken") } });
  expect(nested).toMatchObject({ msg: "broken", at: "here", err: { type: "TypeError" } });
});

test("an error is under main's own key for errors", async () => {
  const { scribe, own } = await scribeSystem({ errorKey: "failure" });
  await scribe.call("error");
  const [alone] = await own(3);
  expect(alone.failure).toMatchObject({ type: "TypeError" });
  expect(alone).not.toHaveProperty("err");
});

// Promise: cannot-carried-logged-far
test("a value that no message can carry is logged as far as it goes, and does no harm", async () => {
  const { scribe, own } = await scribeSystem();
  await scribe.call("strange");
  const [strange, json, trap] = await own(3);
  expect(strange).toMatchObject({
    run: "[function run]",
    tag: "Symbol(tag)",
    account: { owner: "ann", password: "pw" },
  });
  expect(strange.circular.name).toBe("loop");
  expect(json).toMatchObject({ from: "toJSON", msg: "json" });
  expect(trap).toMatchObject({ trap: "[unreadable]", msg: "trap" });
});

test("a line that is too long is cut, and names the fields it has lost", async () => {
  const { scribe, own } = await scribeSystem();
  await scribe.call("long", 1_000_000);
  const [line] = await own(1);
  expect(line.tooLong).toBe("blob");
  expect(line.msg).toMatch(/^y{1000,9000}$/);
});

test("the level is main's, follows it when it changes, and may be raised in the actor", async () => {
  const { scribe, logger, own } = await scribeSystem();
  expect(await scribe.call("level")).toBe("info");
  await scribe.call("log", "debug", "unheard");
  logger.level = "debug";
  expect(await scribe.call("level")).toBe("debug");
  await scribe.call("log", "debug", "heard");
  expect(await scribe.call("level", "error")).toBe("error");
  await scribe.call("log", "warn", "unheard");
  await scribe.call("log", "error", "heard");
  expect((await own(2)).map(({ level, msg }) => [level, msg])).toEqual([
    [20, "heard"],
    [50, "heard"],
  ]);
  logger.level = "silent";
  expect(await scribe.call("level")).toBe("silent");
});

test("a level that does not exist is refused", async () => {
  const { scribe } = await scribeSystem();
  const refused = await scribe.call("level", "loud").catch((e: unknown) => e);
  expect(refused).toMatchObject({ reason: { kind: "error", error: { name: "RangeError" } } });
});

test("a line that waited for main says how late it is", async () => {
  const { system, scribe, own } = await scribeSystem();
  await scribe.cast("log", "info", "while main is busy");
  // Main's event loop does not turn until well after the line was logged.
  while (system.stats(scribe).mailbox.handled === 0);
  const until = performance.now() + 150;
  while (performance.now() < until);
  const [line] = await own(1);
  expect(line.lateMs).toBeGreaterThan(100);
});

test("a logger that is not pino gets every line", async () => {
  const { logger, lines } = recordingLogger();
  const system = await testSystem({ logger });
  const scribe = await system.startChild<typeof Scribe>({ id: "scribe", actor: fixture("scribe") });
  await scribe.call("log", "trace", { a: 1 }, "fine");
  await eventually(() => lines.some(({ message }) => message === "fine"));
  expect(lines.find(({ message }) => message === "fine")).toMatchObject({
    level: "trace",
    fields: { a: 1, actor: "root/scribe" },
  });
});

// Promise: storm-of-lines
test("a storm of lines does not hold its actor up; what main cannot take is dropped, counted and told", async () => {
  const { system, scribe, lines, own } = await scribeSystem();
  const count = 200_000;
  const tookMs = await scribe.with({ timeoutMs: 60_000 }).call("storm", count);
  // Each line of a storm costs its actor less than what it costs to write one.
  expect(tookMs / count).toBeLessThan(0.05);
  await scribe.call("log", "error", "after the storm");
  await eventually(() => lines.some(({ msg }) => msg === "after the storm"));
  const dropped = () => lines.reduce((sum, line) => sum + (line.dropped ?? 0), 0);
  const kept = () => lines.filter(({ msg }) => msg === "storm").length;
  // The rest is told with the lines that follow.
  await eventually(() => {
    scribe.tryCast("log", "error", "more");
    return kept() + dropped() === count;
  });
  expect(kept()).toBeLessThan(count / 2);
  expect((await own(1)).some(({ msg }) => msg === "the storm is over")).toBe(true);
  expect(system.meters.actors()[0].logDropped).toBe(dropped());
});

// Promise: storm-of-lines
test("an actor that storms does not silence the others", async () => {
  const { system, scribe, lines } = await scribeSystem();
  const other = await system.startChild<typeof Scribe>({ id: "other", actor: fixture("scribe") });
  const storm = scribe.with({ timeoutMs: 60_000 }).call("storm", 100_000);
  for (let i = 0; i < 100; i++) await other.call("log", "info", { i }, "calm");
  await storm;
  await eventually(() => lines.filter(({ msg }) => msg === "calm").length === 100);
});

test("with console log, the console's lines come by the log, formatted, with a level", async () => {
  const { scribe, own } = await scribeSystem({ level: "debug" }, { console: "log" });
  await scribe.call("console");
  const lines = await own(6);
  expect(lines.map(({ level, msg }) => [level, msg.split("\n    at")[0]])).toEqual([
    [30, "a line of 1 { deep: { er: true } }"],
    [40, "warned"],
    [50, "Error: shown"],
    [20, "debugged"],
    [30, "group"],
    [30, "  inside\n  of it"],
  ]);
});
