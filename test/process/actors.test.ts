import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ActorSpec, SystemOptions } from "@mini-otp/runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { everySecond } from "../support/part.js";
import { ENDS, failureOf, outlivesNone, runs, stateOf } from "../support/processes.js";
import { testSystem } from "../support/system.js";
import type Native from "./fixtures/native.actor.js";

const actor = new URL("./fixtures/native.actor.js", import.meta.url);

async function start(options: Partial<ActorSpec<typeof Native>> = {}, ofSystem: SystemOptions = {}) {
  const system = await testSystem({ intensity: 10, ...ofSystem });
  const exits: unknown[] = [];
  system.on("actor_exited", ({ id, incarnation, reason }) => exits.push({ id, incarnation, reason }));
  const ref = await system.startChild<typeof Native>({
    id: "native",
    actor,
    isolation: "process",
    callTimeoutMs: 25_000,
    ...options,
  });
  return { system, ref, exits };
}

function newFile() {
  const file = join(mkdtempSync(join(tmpdir(), "process-")), "notes");
  writeFileSync(file, "");
  onTestFinished(() => appendFileSync(file, "go on\n"));
  return { file, text: () => readFileSync(file, "utf8"), open: () => appendFileSync(file, "go on\n") };
}

describe("an actor with a process of its own", () => {
  // Promise: actor-process
  test("runs on the main thread of another process, with its args and environment, one message at a time", async () => {
    const { system, ref } = await start({ name: "the native", args: {}, env: { COLOR: "red" } });
    const facts = await ref.call("facts");
    expect(facts).toMatchObject({
      isMainThread: true,
      env: { COLOR: "red" },
      id: "root/native",
      name: "the native",
      incarnation: 1,
    });
    expect(facts.send).toBe(undefined);
    expect(facts.pid).not.toBe(process.pid);
    expect(system.whereis("the native")).toBe(ref);
    const casts = Array.from({ length: 50 }, () => ref.cast("add", 1));
    expect(await ref.call("add", 1)).toBe(51);
    await Promise.all(casts);
    expect(ref.tryCast("add", 1)).toBe("ok");
    expect(await ref.call("add", 0)).toBe(52);
    // A reply is sent before its message counts as handled.
    await eventually(() => ref.stats().mailbox.handled === 54);
    expect(ref.stats().mailbox).toMatchObject({ enqueued: 54, length: 0 });
  });

  test("fails calls by ReplyError, and lives on", async () => {
    const { ref, exits } = await start();
    await expect(ref.call("refuse")).rejects.toMatchObject({ name: "ReplyError", code: "E_NO", data: { why: 1 } });
    await expect(ref.call("nothing" as "pid")).rejects.toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
    expect(await ref.call("add", 1)).toBe(1);
    expect(exits).toEqual([]);
  });

  test("with throws reply, what a handler throws fails its call", async () => {
    const { ref, exits } = await start({ throws: "reply" });
    const error = await failureOf(ref.call("throwNow"));
    expect(error).toMatchObject({ name: "TypeError", message: "now", code: "E_NOW", cause: { message: "why" } });
    expect((error as Error).stack).toContain("native.actor.js");
    expect((error as Error).stack).toContain("-- root/native, called from --");
    expect(await ref.call("add", 1)).toBe(1);
    expect(exits).toEqual([]);
  });
});

describe("what ends the process is the actor's exit reason, and it is restarted:", () => {
  test.each([
    ["abort", [], { kind: "crashed", signal: "SIGABRT", code: null }],
    ["segfault", [], { kind: "crashed", signal: "SIGSEGV", code: null }],
    ["ends", ["SIGKILL"], { kind: "crashed", signal: "SIGKILL", code: null }],
    ["leaves", [7], { kind: "crashed", signal: null, code: 7 }],
    ["exit", [3], { kind: "exit_called", code: 3 }],
    ["exit", [0], { kind: "exit_called", code: 0 }],
    ["lingerOnExit", [5], { kind: "exit_called", code: 5 }],
    ["throwNow", [], { kind: "error", error: { name: "TypeError", code: "E_NOW", cause: { message: "why" } } }],
    ["throwLater", [], { kind: "error", error: { name: "TypeError", message: "late" } }],
    ["loop", [], { kind: "unresponsive", method: "loop" }],
    ["hang", [], { kind: "unresponsive", method: "hang" }],
    // Promise: actor-process
  ] as const)("%s %o", async (method, args, reason) => {
    const { ref, exits } = await start(method === "loop" || method === "hang" ? { handlerTimeoutMs: 300 } : {});
    const pid = await ref.call("pid");
    const failed = await failureOf((ref.call as any)(method, ...args));
    expect(failed).toMatchObject({ code: "ERR_CALL_EXIT", id: "root/native", method, reason });
    expect(exits).toMatchObject([{ id: "root/native", incarnation: 1, reason }]);
    expect(await ref.call("facts")).toMatchObject({ incarnation: 2 });
    // Not even as a zombie, which would stay as long as main. A thread that is killed may not come to read its end.
    const isKilled = method === "loop" || method === "hang";
    await eventually(() => (isKilled ? !runs(pid) : stateOf(pid) === undefined));
  });

  // Promise: actor-process
  test("messages that were accepted survive it, in their order, and the one in flight is delivered as maxDeliveries says", async () => {
    const { ref } = await start({ maxDeliveries: 2 });
    const { file, text, open } = newFile();
    const first = await ref.call("pid");
    const dying = failureOf(ref.call("waitFor", file));
    await eventually(() => text() === "arrived\n");
    const casts = Array.from({ length: 20 }, (_, i) => ref.cast("note", file, String(i)));
    await Promise.all(casts);
    const pid = ref.call("pid");
    process.kill(first, "SIGKILL");
    await eventually(() => text() === "arrived\narrived\n");
    open();
    await dying;
    await pid;
    expect(text().split("\n").slice(3, 23)).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    expect(ref.stats()).toMatchObject({ incarnation: 2, restarts: 1 });
  });

  test("also while nothing is handled", async () => {
    const { ref, exits } = await start();
    const pid = await ref.call("pid");
    process.kill(pid, "SIGKILL");
    await eventually(() => exits.length === 1);
    expect(exits).toMatchObject([{ reason: { kind: "crashed", signal: "SIGKILL", code: null } }]);
    expect(await ref.call("pid")).not.toBe(pid);
  });
});

describe("a start that fails says why:", () => {
  test.each([
    ["throw", "ERR_INIT_FAILED", { kind: "init_failed", error: { name: "RangeError", message: "not today" } }],
    ["abort", "ERR_INIT_FAILED", { kind: "crashed", signal: "SIGABRT" }],
    ["exit", "ERR_INIT_FAILED", { kind: "exit_called", code: 4 }],
    ["hang", "ERR_INIT_TIMEOUT", { kind: "init_timeout", afterMs: 1_500 }],
  ] as const)("%s in init is %s", async (how, code, reason) => {
    const options = how === "hang" ? { startTimeoutMs: 1_500 } : {};
    await expect(start({ args: { start: how }, ...options })).rejects.toMatchObject({ code, reason });
  });

  test.each([
    [
      "a module that is not there",
      new URL("./fixtures/none.actor.js", import.meta.url),
      "ERR_ACTOR_MODULE",
      "not found",
    ],
    ["a module without an actor", new URL("../pool/fixtures/work.js", import.meta.url), "ERR_ACTOR_MODULE", "no actor"],
    [
      "a module that throws",
      new URL("../pool/fixtures/broken.js", import.meta.url),
      "ERR_ACTOR_MODULE",
      "failed to load",
    ],
    [
      "a module that aborts",
      new URL("../pool/fixtures/aborts-at-load.js", import.meta.url),
      "ERR_INIT_FAILED",
      "crashed (SIGABRT)",
    ],
  ])("%s", async (_what, module, code, words) => {
    await expect(start({ actor: module })).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test("a flag that Node does not know", async () => {
    await expect(start({ execArgv: ["--no-such-flag"] })).rejects.toMatchObject({
      code: "ERR_INIT_FAILED",
      reason: { kind: "crashed", code: 9 },
    });
  });

  test("ignore() in init is no failure", async () => {
    const { system } = await start({ args: { start: "ignore" } });
    expect(system.whichChildren()).toMatchObject([{ id: "native", state: "stopped" }]);
  });
});

describe("no process outlives", () => {
  test("its actor, which stops in order: accepted messages, terminate, exit handlers", async () => {
    const { file, text } = newFile();
    const { system, ref } = await start({ args: { file } });
    const pid = await ref.call("pid");
    const child = await ref.call("spawnChild");
    for (const n of [1, 2, 3]) await ref.cast("note", file, `message ${n}`);
    await system.terminateChild("native");
    expect(text()).toBe("message 1\nmessage 2\nmessage 3\nterminate shutdown\nexited\n");
    expect(stateOf(pid)).toBe(undefined);
    await eventually(() => !runs(child));
  });

  test.each([
    ["a deadline that has passed", { shutdown: 100 }],
    ["brutal_kill", { shutdown: "brutal_kill" }],
  ] as const)("its actor, which is killed by %s", async (_what, options) => {
    const { system, ref, exits } = await start(options);
    const pid = await ref.call("pid");
    const child = await ref.call("spawnChild");
    const looping = failureOf(ref.call("loop"));
    await eventually(() => ref.stats().handling?.method === "loop");
    await system.terminateChild("native");
    expect(await looping).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "killed" } });
    expect(exits).toMatchObject([{ reason: { kind: "killed" } }]);
    await eventually(() => !runs(pid) && !runs(child));
  });

  // Promise: actor-process
  test.each(ENDS.filter(everySecond(1)))("its program, which ends by %s %s, whatever the actor does", (how, signal) =>
    outlivesNone(new URL("./programs/with-actor.js", import.meta.url), how, signal),
  );

  test("the signals of a terminal leave the process to its program", async () => {
    const { ref } = await start();
    const pid = await ref.call("pid");
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(pid, signal);
    expect(await ref.call("pid")).toBe(pid);
  });
});

test("an isolation that there is not is refused, and what no other process can have", async () => {
  const system = await testSystem();
  await expect(system.startChild({ id: "a", actor, isolation: "fork" as never })).rejects.toMatchObject({
    code: "ERR_INVALID_CHILD_SPEC",
    field: "isolation",
    allowed: '"thread", "process"',
  });
  const shared = new Int32Array(new SharedArrayBuffer(4));
  await expect(
    system.startChild({ id: "a", actor, isolation: "process", args: { shared } } as never),
  ).rejects.toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", field: "args" });
});
