import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import { type PoolSpec, pool } from "@mini-otp/runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { everySecond } from "../support/part.js";
import { ENDS, failureOf, outlivesNone, runs } from "../support/processes.js";
import { testSystem } from "../support/system.js";
import type User from "./fixtures/user.actor.js";

const work = new URL("./fixtures/work.js", import.meta.url);
const native = new URL("./fixtures/native.js", import.meta.url);

async function start(options: Partial<PoolSpec> = {}) {
  const system = await testSystem();
  const lost: unknown[] = [];
  system.on("pool_thread_lost", (event) => lost.push(event));
  const spec = { id: "work", filename: native, isolation: "process", maxThreads: 1, ...options } as PoolSpec;
  const ref = await system.startChild(pool(spec));
  return { system, ref, lost };
}

/** A file that tasks named "waitFor" wait for. */
function newGate() {
  const file = join(mkdtempSync(join(tmpdir(), "processes-")), "gate");
  writeFileSync(file, "");
  onTestFinished(() => appendFileSync(file, "go on\n"));
  const text = (): string => readFileSync(file, "utf8");
  return { file, text, open: () => appendFileSync(file, "go on\n"), arrived: () => text().split("arrived").length - 1 };
}

describe("a pool of processes", () => {
  // Promise: process-isolation
  test("runs its module's functions on the main threads of other processes, with its workerData and environment", async () => {
    const { ref } = await start({ filename: work, workerData: { shop: 7 }, env: { COLOR: "red" } });
    expect(await ref.run(21)).toBe(42);
    expect(await ref.run(undefined, { name: "data" })).toEqual({ shop: 7 });
    expect(await ref.run(undefined, { name: "environment" })).toEqual({ env: "red", home: undefined, argv: 2 });
    await expect(ref.run("E_LUCK", { name: "fail" })).rejects.toMatchObject({
      name: "RangeError",
      code: "E_LUCK",
      cause: { message: "why" },
    });
    await expect(ref.run(1, { name: "nothing" })).rejects.toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
    expect(ref.stats()).toMatchObject({ completed: 3, failed: 2, threads: 1, threadsLost: 0 });
    expect(ref.stats().function.count).toBe(4);
    const { ref: inMain } = await start({ env: "inherit" });
    expect(await inMain.run(undefined, { name: "pid" })).not.toBe(process.pid);
    expect(await inMain.run(undefined, { name: "onMainThread" })).toBe(true);
    expect(await inMain.run(undefined, { name: "send" })).toBe(undefined);
  });

  test("starts processes while there is work, and ends those that have had none for idleTimeoutMs", async () => {
    const { ref } = await start({ maxThreads: 3, idleTimeoutMs: 50 });
    const gate = newGate();
    const tasks = Array.from({ length: 3 }, () => ref.run(gate.file, { name: "waitFor" }));
    await eventually(() => gate.arrived() === 3);
    expect(ref.stats()).toMatchObject({ threads: 3, running: 3 });
    gate.open();
    expect(new Set(await Promise.all(tasks)).size).toBe(3);
    await eventually(() => ref.stats().threads === 1);
    expect(ref.stats()).toMatchObject({ threadsLost: 0, restarts: 0 });
  });

  test("copies what a task and its result transfer, and takes it from the sender", async () => {
    const { ref } = await start({ filename: work });
    const { buffer } = new Uint8Array(2 ** 20).fill(3);
    expect(await ref.run(buffer, { name: "size", transferList: [buffer] })).toBe(2 ** 20);
    expect(buffer.byteLength).toBe(0);
    expect(await ref.run(5, { name: "moves" })).toEqual(new Uint8Array(5).fill(1));
    const large = new Uint8Array(5 * 2 ** 20).fill(7);
    expect(Buffer.compare((await ref.run(large, { name: "echo" })) as Uint8Array, large)).toBe(0);
  });

  test("refuses what cannot leave the process, and loses no process over it", async () => {
    const { system, ref } = await start({ filename: work });
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const inTask = ref.run({ list: [1, shared] }, { name: "echo" });
    await expect(inTask).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", id: "root/work", path: "task.list[1]" });
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port2.close());
    const moving = ref.run({ port1 }, { name: "echo", transferList: [port1] });
    await expect(moving).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "transfer[0]" });
    await expect(ref.run(undefined, { name: "returnsShared" })).rejects.toMatchObject({
      code: "ERR_NOT_CLONEABLE",
      path: "result.shared",
    });
    await expect(ref.run(undefined, { name: "returnsFunction" })).rejects.toMatchObject({ path: "result.list[0]" });
    expect(ref.stats()).toMatchObject({ failed: 4, threadsLost: 0 });
    const spec = pool({ id: "b", filename: work, isolation: "process", workerData: { shared } });
    await expect(system.startChild(spec)).rejects.toMatchObject({
      code: "ERR_INVALID_CHILD_SPEC",
      field: "workerData",
    });
    await expect(
      system.startChild(pool({ id: "c", filename: work, isolation: "fork" as never })),
    ).rejects.toMatchObject({
      code: "ERR_INVALID_CHILD_SPEC",
      field: "isolation",
      allowed: '"thread", "process"',
    });
  });

  test("answers with streams, which end with break, and is run by actors", async () => {
    const { ref } = await start({ filename: new URL("./fixtures/streaming.js", import.meta.url) });
    let sum = 0;
    for await (const item of ref.stream({ to: 5000 }) as AsyncIterable<number>) sum += item;
    expect(sum).toBe(12_497_500);
    for await (const item of ref.stream({ to: Infinity })) if (item === 3) break;
    await eventually(() => ref.stats().running === 0);
    expect(ref.stats()).toMatchObject({ threadsLost: 0 });
    const { system: other, ref: doubling } = await start();
    const user = await other.startChild<typeof User>({
      id: "user",
      actor: new URL("./fixtures/user.actor.js", import.meta.url),
    });
    expect(await user.call("sum", doubling, 10)).toBe(90);
  });

  // Promise: recycle-no-crash
  test("replaces a process after as many tasks as recycle says, by its own exit, and no task notices", async () => {
    const { ref, lost } = await start({ recycle: { afterTasks: 5 } });
    const gate = newGate();
    const first = (await ref.run(gate.file, { name: "noteExit" })) as number;
    const pids = await Promise.all(Array.from({ length: 12 }, () => ref.run(undefined, { name: "pid" })));
    expect([pids.filter((pid) => pid === first).length, new Set(pids).size]).toEqual([4, 3]);
    expect(gate.text()).toBe("exited\n");
    expect(ref.stats()).toMatchObject({ completed: 13, failed: 0, threadsLost: 0, threadsRecycled: 2, restarts: 0 });
    expect(lost).toEqual([]);
  });
});

describe("a task that ends its process fails alone, and is reported:", () => {
  async function fails(name: string, task: unknown, options: Partial<PoolSpec> = {}) {
    const { system, ref, lost } = await start({ maxThreads: 2, minThreads: 2, ...options });
    const killed: unknown[] = [];
    system.on("guard_killed", (event) => killed.push(event));
    const gate = newGate();
    const isNative = options.filename === undefined;
    const other = isNative ? ref.run(gate.file, { name: "waitFor" }) : ref.run(10, { name: "wait" });
    if (isNative) await eventually(() => gate.arrived() === 1);
    const error = await failureOf(ref.run(task as never, { name }));
    gate.open();
    await other;
    expect(await ref.run(4)).toBe(8);
    expect(ref.stats()).toMatchObject({ incarnation: 1, failed: 1, threadsLost: 1 });
    expect(lost).toMatchObject([{ id: "root/work", task: name }]);
    return { error, killed };
  }

  test.each([
    ["abort", undefined, { signal: "SIGABRT", code: null }],
    ["segfault", undefined, { signal: "SIGSEGV", code: null }],
    ["ends", "SIGKILL", { signal: "SIGKILL", code: null }],
    ["leaves", 7, { signal: null, code: 7 }],
    // Promise: process-isolation
  ])("%s %s is crashed with %o", async (name, task, facts) => {
    const { error } = await fails(name, task);
    expect(error).toMatchObject({ code: "ERR_CALL_EXIT", method: name, reason: { kind: "crashed", ...facts } });
  });

  test.each([
    ["exit", 3, { kind: "exit_called", code: 3 }],
    ["exit", 0, { kind: "exit_called", code: 0 }],
    ["throwLater", undefined, { kind: "error", error: { name: "TypeError", message: "late" } }],
    ["leakMap", undefined, { kind: "heap_cap_exceeded", heapCapMb: 32 }],
  ])("%s %s ends with %o, as in a thread", async (name, task, reason) => {
    const { error } = await fails(name, task, { filename: work, heapCapMb: 32, offHeapCapMb: 32 });
    expect(error).toMatchObject({ code: "ERR_CALL_EXIT", method: name, reason });
  });

  // Promise: process-isolation
  test("memory that V8 does not see is contained by the caps, and the guard reports it", async () => {
    const reason = { kind: "off_heap_cap_exceeded", offHeapCapMb: 32 };
    const { error, killed } = await fails("takeNative", 2_000, { heapCapMb: 32, offHeapCapMb: 32 });
    expect(error).toMatchObject({ code: "ERR_CALL_EXIT", method: "takeNative", reason });
    const { usedMb } = (error as { reason: { usedMb: number } }).reason;
    expect(usedMb).toBeGreaterThan(64);
    expect(killed).toMatchObject([{ id: expect.stringMatching(/^root\/work \(process \d+\)$/), reason }]);
  });

  test("garbage is none of it: a process that makes much more than its cap of it goes on", async () => {
    const { ref } = await start({ heapCapMb: 32, offHeapCapMb: 32 });
    // Four times as much as it may keep.
    expect(await ref.run(64, { name: "churn" })).toBe(64 * 4 * 2 ** 20);
    expect(ref.stats()).toMatchObject({ completed: 1, threadsLost: 0 });
  });

  test("one that loops is unresponsive after taskTimeoutMs, and one whose caller gives up is aborted", async () => {
    const { ref } = await start({ taskTimeoutMs: 300 });
    const pid = (await ref.run(undefined, { name: "pid" })) as number;
    const reason = { kind: "unresponsive", method: "loop", afterMs: 300 };
    expect(await failureOf(ref.run(undefined, { name: "loop" }))).toMatchObject({ code: "ERR_CALL_EXIT", reason });
    await eventually(() => !runs(pid));
    const controller = new AbortController();
    const running = failureOf(ref.run(undefined, { name: "hang", signal: controller.signal }));
    await eventually(() => ref.stats().running === 1);
    controller.abort();
    expect(await running).toMatchObject({ code: "ERR_CALL_ABORTED" });
    expect(await ref.run(2)).toBe(4);
    expect(ref.stats()).toMatchObject({ incarnation: 1, aborted: 1, failed: 1, threadsLost: 1 });
  });

  test("one whose exit handlers never return is ended with the code that it exits with", async () => {
    const { ref } = await start();
    const reason = { kind: "exit_called", code: 5 };
    expect(await failureOf(ref.run(5, { name: "lingerOnExit" }))).toMatchObject({ code: "ERR_CALL_EXIT", reason });
  });

  test("with concurrentTasksPerWorker all tasks of the process end with it, and those that wait do not", async () => {
    const { ref } = await start({ concurrentTasksPerWorker: 2 });
    const gate = newGate();
    const running = failureOf(ref.run(gate.file, { name: "waitFor" }));
    await eventually(() => gate.arrived() === 1);
    const both = [running, failureOf(ref.run(undefined, { name: "abort" }))];
    const waiting = ref.run(3);
    for (const error of await Promise.all(both))
      expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "crashed", signal: "SIGABRT" } });
    expect(await waiting).toBe(6);
  });
});

describe("a process's end outside of a task", () => {
  // Promise: process-isolation
  test("breaks the pool, which is restarted and runs the tasks that waited, each once", async () => {
    const { ref } = await start({ maxThreads: 2, minThreads: 2 });
    const gate = newGate();
    const running = failureOf(ref.run(gate.file, { name: "waitFor" }));
    await eventually(() => gate.arrived() === 1);
    const idle = (await ref.run(undefined, { name: "pid" })) as number;
    process.kill(idle, "SIGKILL");
    await eventually(() => ref.stats().state === "restarting");
    const waiting = Array.from({ length: 5 }, (_, i) => ref.run(i));
    const reason = { kind: "crashed", signal: "SIGKILL", code: null };
    expect(await running).toMatchObject({ code: "ERR_CALL_EXIT", reason });
    expect(await Promise.all(waiting)).toEqual([0, 2, 4, 6, 8]);
    expect(ref.stats()).toMatchObject({ state: "running", incarnation: 2, restarts: 1, completed: 6 });
  });

  test.each([
    [
      "a module that is not there",
      { filename: new URL("./fixtures/none.js", import.meta.url) },
      "ERR_ACTOR_MODULE",
      "not found",
    ],
    [
      "a module that throws",
      { filename: new URL("./fixtures/broken.js", import.meta.url) },
      "ERR_ACTOR_MODULE",
      "failed to load",
    ],
    [
      "a crash while it loads",
      { filename: new URL("./fixtures/aborts-at-load.js", import.meta.url) },
      "ERR_INIT_FAILED",
      "crashed (SIGABRT)",
    ],
    ["a flag that Node does not know", { execArgv: ["--no-such-flag"] }, "ERR_INIT_FAILED", "crashed (code 9)"],
  ])("by %s is a failed start", async (_what, options, code, words) => {
    await expect(start(options)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });
});

describe("no process outlives", () => {
  test("its pool: tasks are run to their end, and those that take too long are ended", async () => {
    const { system, ref } = await start({ maxThreads: 2, shutdown: 300 });
    const pid = (await ref.run(undefined, { name: "pid" })) as number;
    const child = (await ref.run(undefined, { name: "spawnChild" })) as number;
    expect([runs(pid), runs(child)]).toEqual([true, true]);
    const gate = newGate();
    const drained = ref.run(gate.file, { name: "waitFor" });
    await eventually(() => gate.arrived() === 1);
    const hung = failureOf(ref.run(undefined, { name: "hang" }));
    const stopped = system.terminateChild("work");
    gate.open();
    expect(await drained).toBe(pid);
    expect(await hung).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "shutdown" } });
    await stopped;
    await eventually(() => !runs(pid) && !runs(child));
  });

  test.each(ENDS.filter(everySecond(0)))("its program, which ends by %s %s, whatever the process does", (how, signal) =>
    outlivesNone(new URL("./programs/with-processes.js", import.meta.url), how, signal),
  );

  test("the signals of a terminal leave the processes to their program", async () => {
    const { ref } = await start();
    const pid = (await ref.run(undefined, { name: "pid" })) as number;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(pid, signal);
    expect(await ref.run(undefined, { name: "pid" })).toBe(pid);
  });
});
