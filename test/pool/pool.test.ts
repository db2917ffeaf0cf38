import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import { type PoolSpec, pool, type SystemOptions } from "@mini-otp/runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import type User from "./fixtures/user.actor.js";

const filename = new URL("./fixtures/work.js", import.meta.url);
const user = new URL("./fixtures/user.actor.js", import.meta.url);

async function start(options: Partial<PoolSpec> = {}, systemOptions: SystemOptions = {}) {
  const system = await testSystem(systemOptions);
  const ref = await system.startChild(
    pool({ id: "work", filename, minThreads: 1, maxThreads: 2, ...options } as PoolSpec),
  );
  return { system, ref };
}

/** A word that tasks named "gate" wait for, and how many do. */
function newGate() {
  const word = new Int32Array(new SharedArrayBuffer(8));
  onTestFinished(() => void Atomics.store(word, 0, 1));
  return { word, open: () => void Atomics.store(word, 0, 1), arrived: () => Atomics.load(word, 1) };
}

describe("a pool", () => {
  test("runs its module's default function, and others by name", async () => {
    const { ref } = await start({ workerData: { shop: 7 }, env: { COLOR: "red" } });
    expect(await ref.run(21)).toBe(42);
    expect(await ref.run(undefined, { name: "data" })).toEqual({ shop: 7 });
    expect(await ref.run(undefined, { name: "environment" })).toEqual({ env: "red", home: undefined, argv: 2 });
    expect(await Promise.all(Array.from({ length: 200 }, (_, i) => ref.run(i)))).toEqual(
      Array.from({ length: 200 }, (_, i) => 2 * i),
    );
    await expect(ref.run(1, { name: "nothing" })).rejects.toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
  });

  // Promise: env-none-inherit-variables
  test("with env \"inherit\" gives each thread a copy of main's process.env as it is at that thread's start", async () => {
    const { COLOR: before } = process.env;
    onTestFinished(() => {
      if (before === undefined) delete process.env.COLOR;
      else process.env.COLOR = before;
    });
    process.env.COLOR = "red";
    const { word, open, arrived } = newGate();
    const { ref } = await start({ env: "inherit" });
    expect(await ref.run(undefined, { name: "environment" })).toMatchObject({ env: "red", home: process.env.HOME });
    const first = ref.run(word, { name: "gate" });
    await eventually(() => arrived() === 1);
    process.env.COLOR = "green";
    expect(await ref.run(undefined, { name: "environment" })).toMatchObject({ env: "green" });
    open();
    await first;
  });

  test("refuses options that do not exist or make no sense, and loses no thread over them", async () => {
    const { ref } = await start();
    const run = (options: unknown) => ref.run(1, options as never);
    await expect(run({ nme: "data" })).rejects.toThrow("no option nme; there are: signal, transferList, name");
    await expect(run({ signal: {} })).rejects.toThrow("must be an AbortSignal");
    await expect(run({ transferList: new ArrayBuffer(8) })).rejects.toThrow("transferList=");
    const moving = ref.run(1, { transferList: [new Uint8Array(8) as never] });
    await expect(moving).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "transfer[0]" });
    expect(ref.stats()).toMatchObject({ threadsLost: 0, failed: 0 });
  });

  test.each(["open", "closed"])("refuses a MessagePort that is %s anywhere in workerData", async (state) => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port2.close());
    if (state === "closed") port1.close();
    await expect(start({ workerData: { held: [new Map([["port", { port1 }]])] } })).rejects.toMatchObject({
      code: "ERR_INVALID_CHILD_SPEC",
      message: expect.stringContaining("it holds a MessagePort, which changes hands and cannot be copied"),
    });
  });

  test("is a worker in the tree, which answers stats", async () => {
    const { system, ref } = await start({ maxThreads: 1 });
    const gate = newGate();
    const running = [ref.run(gate.word, { name: "gate" }), ref.run(1)];
    await eventually(() => gate.arrived() === 1);
    expect(system.tree().children?.[0]).toMatchObject({ id: "root/work", type: "worker", state: "running" });
    expect(ref.stats()).toMatchObject({
      state: "running",
      incarnation: 1,
      restarts: 0,
      threads: 1,
      maxThreads: 1,
      queueLength: 1,
      maxQueue: 1_024,
      running: 1,
      completed: 0,
    });
    expect(system.meters.pools()).toEqual([{ id: "root/work", stats: ref.stats() }]);
    gate.open();
    await Promise.all(running);
    const { completed, running: left, wait, run } = ref.stats();
    expect([completed, left, wait.count, run.count]).toEqual([2, 0, 2, 2]);
    expect(run.p50Ms).toBeGreaterThan(0);
    expect(run.maxMs).toBeGreaterThanOrEqual(run.p50Ms);
  });

  test("starts threads up to maxThreads while there is work", async () => {
    const { ref } = await start({ maxThreads: 3 });
    const gate = newGate();
    const tasks = Array.from({ length: 3 }, () => ref.run(gate.word, { name: "gate" }));
    await eventually(() => gate.arrived() === 3);
    expect(ref.stats()).toMatchObject({ threads: 3, running: 3 });
    gate.open();
    expect(new Set(await Promise.all(tasks)).size).toBe(3);
  });

  // Promise: run-always-settles-result
  test("rejects with what the function throws, with its properties, and keeps the thread", async () => {
    const { ref } = await start({ maxThreads: 1 });
    const before = await ref.run(undefined, { name: "where" });
    await expect(ref.run("E_LUCK", { name: "fail" })).rejects.toMatchObject({
      name: "RangeError",
      message: "no such luck",
      code: "E_LUCK",
      cause: { message: "why" },
    });
    expect(await ref.run(undefined, { name: "where" })).toBe(before);
    expect(ref.stats()).toMatchObject({ completed: 2, failed: 1, threadsLost: 0 });
  });

  // Promise: queue-bounded-task-finds
  test("refuses a task that finds the queue full with ERR_MAILBOX_FULL", async () => {
    const { ref } = await start({ maxThreads: 1, maxQueue: 2 });
    const gate = newGate();
    const accepted = [ref.run(gate.word, { name: "gate" }), ref.run(1), ref.run(2)];
    await expect(ref.run(3)).rejects.toMatchObject({ code: "ERR_MAILBOX_FULL", id: "root/work", maxQueue: 2 });
    gate.open();
    await Promise.all(accepted);
    expect(await ref.run(3)).toBe(6);
    expect(ref.stats().rejected).toBe(1);
  });

  test("with maxQueue 0 runs as many tasks as it has threads for", async () => {
    const { ref } = await start({ maxThreads: 1, maxQueue: 0 });
    const gate = newGate();
    const running = ref.run(gate.word, { name: "gate" });
    await expect(ref.run(1)).rejects.toMatchObject({ code: "ERR_MAILBOX_FULL" });
    gate.open();
    await running;
  });

  test("transfers what is to be transferred", async () => {
    const { ref } = await start();
    const bytes = new ArrayBuffer(1_000_000);
    expect(await ref.run(bytes, { name: "size", transferList: [bytes] })).toBe(1_000_000);
    expect(bytes.byteLength).toBe(0);
  });

  // Promise: run-always-settles-result
  test("says ERR_NOT_CLONEABLE of a task or a result that cannot be copied", async () => {
    const { ref } = await start({ maxThreads: 1 });
    const before = await ref.run(undefined, { name: "where" });
    const throwing = {
      get broken(): never {
        throw new RangeError("no such thing");
      },
    };
    const { port1, port2 } = new MessageChannel();
    const tasks: [task: unknown, path: string][] = [
      [() => {}, "task"],
      [{ list: [1, () => {}] }, "task.list[1]"],
      [throwing, "task.broken"],
      [{ port1 }, "task.port1"],
      [new Map([["k", Symbol("s")]]), "task.get(k)"],
    ];
    for (const [task, path] of tasks) {
      await expect(ref.run(task as never)).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path });
    }
    const memory = new SharedArrayBuffer(8);
    await expect(ref.run(memory as never, { transferList: [memory as never] })).rejects.toMatchObject({
      code: "ERR_NOT_CLONEABLE",
      path: "transfer[0]",
    });
    await expect(ref.run(1, { transferList: [new WeakMap() as never] })).rejects.toMatchObject({
      code: "ERR_NOT_CLONEABLE",
      path: "transfer",
    });
    port1.close();
    port2.close();
    for (const [name, path] of [
      ["unclonable", "result"],
      ["returnsFunction", "result.list[0]"],
      ["returnsPort", "result.port"],
      ["returnsGetter", "result.broken"],
    ]) {
      await expect(ref.run(1, { name })).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path });
    }
    await expect(ref.run(1, { name: "throwsFunction" })).rejects.toThrow("thrown: a function");
    // Neither main nor the thread has lost anything over them.
    expect(await ref.run(undefined, { name: "where" })).toBe(before);
    expect(ref.stats()).toMatchObject({ threadsLost: 0, restarts: 0 });
  });

  // Promise: tasks-results-message-values
  test("carries what a message carries, there and back", async () => {
    const { ref } = await start();
    const sent = {
      png: Buffer.from("png"),
      at: new Map([[1, Buffer.from("x")]]),
      big: Buffer.alloc(2_000, 7),
      pool: ref,
    };
    const back = (await ref.run(sent as never, { name: "echo" })) as unknown as typeof sent;
    expect(back).toStrictEqual(sent);
    expect([back.png, back.at.get(1), back.big].every((bytes) => Buffer.isBuffer(bytes))).toBe(true);
    expect(back.pool).toBe(ref);
    await expect(ref.run(ref as never, { name: "runs" })).rejects.toMatchObject({ code: "ERR_WRONG_THREAD" });
    expect(await ref.run(5 as never, { name: "moves" })).toEqual(new Uint8Array(5).fill(1));
  });

  // Promise: run-always-settles-result
  test("settles a task whose port is closed while it waits, and loses no thread over it", async () => {
    const { ref } = await start({ maxThreads: 1 });
    const gate = newGate();
    const running = ref.run(gate.word, { name: "gate" });
    await eventually(() => gate.arrived() === 1);
    const { port1, port2 } = new MessageChannel();
    const waiting = ref.run({ port1 } as never, { name: "echo", transferList: [port1] });
    const refused = expect(waiting).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "transfer" });
    await new Promise<void>((closed) => {
      port1.once("close", closed);
      port2.close();
    });
    gate.open();
    await running;
    await refused;
    expect(ref.stats()).toMatchObject({ threadsLost: 0, restarts: 0 });
  });
});

describe("a task that is aborted", () => {
  // Promise: task-aborted-run-ended
  test("while it waits is not run", async () => {
    const { ref } = await start({ maxThreads: 1 });
    const gate = newGate();
    const running = ref.run(gate.word, { name: "gate" });
    const abort = new AbortController();
    const waiting = ref.run(1, { signal: abort.signal });
    abort.abort("enough");
    await expect(waiting).rejects.toMatchObject({ code: "ERR_CALL_ABORTED", cause: "enough" });
    expect(ref.stats()).toMatchObject({ queueLength: 0, aborted: 1 });
    gate.open();
    await running;
    await expect(ref.run(1, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ERR_CALL_ABORTED" });
  });

  // Promise: task-aborted-run-ended
  test("while it runs is ended where it stands", async () => {
    const { ref } = await start({ maxThreads: 1 });
    const abort = new AbortController();
    const running = ref.run(undefined, { name: "spin", signal: abort.signal });
    await eventually(() => ref.stats().running === 1);
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: "ERR_CALL_ABORTED" });
    expect(await ref.run(1)).toBe(2);
  });

  test("after it has ended is left alone, and so is its thread", async () => {
    const { ref } = await start({ maxThreads: 1 });
    const abort = new AbortController();
    const before = await ref.run(undefined, { name: "where", signal: abort.signal });
    abort.abort();
    expect(await ref.run(undefined, { name: "where" })).toBe(before);
  });
});

describe("a task that takes its thread along fails alone, and is reported:", () => {
  async function fails(name: string, task: unknown, options: Partial<PoolSpec> = {}) {
    const { system, ref } = await start({ maxThreads: 2, minThreads: 2, ...options });
    const lost: unknown[] = [];
    system.on("pool_thread_lost", (event) => lost.push(event));
    const gate = newGate();
    const other = ref.run(gate.word, { name: "gate" });
    await eventually(() => gate.arrived() === 1);
    const error = await ref.run(task as never, { name }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    gate.open();
    expect(await other).toBeGreaterThan(0);
    expect(await ref.run(4)).toBe(8);
    expect(ref.stats()).toMatchObject({ incarnation: 1, failed: 1, threadsLost: 1 });
    expect(lost).toMatchObject([{ id: "root/work", task: name }]);
    return error;
  }

  test.each([
    ["leakList", "heap_cap_exceeded"],
    ["leakMap", "heap_cap_exceeded"],
    ["leakBuffers", "off_heap_cap_exceeded"],
    // Promise: task-takes-thread-along
  ])("%s ends with %s", async (name, kind) => {
    const error = await fails(name, undefined, { heapCapMb: 32, offHeapCapMb: 32 });
    expect(error).toMatchObject({ code: "ERR_CALL_EXIT", id: "root/work", method: name, reason: { kind } });
  });

  // Promise: task-takes-thread-along
  test("one that loops is unresponsive after taskTimeoutMs", async () => {
    const { system, ref } = await start({ taskTimeoutMs: 500 });
    const lost: unknown[] = [];
    system.on("pool_thread_lost", (event) => lost.push(event));
    const looping = ref.run(undefined, { name: "spin" }).catch((error: unknown) => error);
    for (let i = 0; i < 20; i++) expect(await ref.run(10, { name: "wait" })).toBe(10);
    const reason = { kind: "unresponsive", method: "spin", afterMs: 500 };
    expect(await looping).toMatchObject({ code: "ERR_CALL_EXIT", reason });
    expect(lost).toMatchObject([{ id: "root/work", task: "spin", reason }]);
    expect(ref.stats()).toMatchObject({ incarnation: 1, completed: 20, failed: 1, threadsLost: 1 });
  });

  // Promise: task-takes-thread-along
  test("one that exits is exit_called", async () => {
    expect(await fails("exit", 3)).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "exit_called", code: 3 } });
  });

  test("one that throws where nothing catches it is an error", async () => {
    expect(await fails("throwLater", undefined)).toMatchObject({
      code: "ERR_CALL_EXIT",
      reason: { kind: "error", error: { name: "TypeError", message: "late" } },
    });
  });
});

describe("a pool that is broken", () => {
  test("from the start fails its start with ERR_ACTOR_MODULE", async () => {
    const system = await testSystem();
    for (const name of ["nowhere", "broken"]) {
      const file = new URL(`./fixtures/${name}.js`, import.meta.url);
      await expect(system.startChild(pool({ id: "work", filename: file }))).rejects.toMatchObject({
        code: "ERR_ACTOR_MODULE",
        message: expect.stringContaining(name),
      });
    }
    expect(system.whichChildren()).toEqual([]);
  });

  test("because its module never finishes loading fails its start with ERR_INIT_TIMEOUT", async () => {
    const system = await testSystem();
    const spec = pool({ id: "work", filename: new URL("./fixtures/hanging.js", import.meta.url), startTimeoutMs: 500 });
    await expect(system.startChild(spec)).rejects.toMatchObject({ code: "ERR_INIT_TIMEOUT" });
  });

  // Promise: pool-whose-module-does
  test("is restarted, and escalates when that does not help", async () => {
    const file = join(tmpdir(), `mini-otp-${randomUUID()}`);
    onTestFinished(() => rm(file, { force: true }));
    const flaky = new URL("./fixtures/flaky.js", import.meta.url);
    const { system, ref } = await start({ filename: flaky, workerData: file, maxThreads: 1, taskTimeoutMs: 200 });
    const exits: string[] = [];
    system.on("actor_exited", ({ id, reason }) => exits.push(`${id} ${reason.kind}`));
    expect(await ref.run(1)).toBe(2);
    await writeFile(file, "");
    // A new thread does not come up.
    await expect(ref.run(undefined, { name: "spin" })).rejects.toMatchObject({ reason: { kind: "unresponsive" } });
    const waiting = ref.run(1).catch((error: { code: string }) => error.code);
    const reason = await system.terminated;
    expect(reason).toMatchObject({
      kind: "shutdown",
      detail: { kind: "reached_max_restart_intensity", id: "root/work" },
    });
    expect(exits[0]).toBe("root/work error");
    expect(["ERR_ACTOR_MODULE", "ERR_CALL_EXIT"]).toContain(await waiting);
  });

  // Promise: waits-pool-breaks-run
  test("runs what waited when it has been restarted", async () => {
    const file = join(tmpdir(), `mini-otp-${randomUUID()}`);
    onTestFinished(() => rm(file, { force: true }));
    const flaky = new URL("./fixtures/flaky.js", import.meta.url);
    const { system, ref } = await start({
      filename: flaky,
      workerData: file,
      maxThreads: 1,
      taskTimeoutMs: 200,
      backoff: { minMs: 200 },
    });
    let exited = false;
    system.on("actor_exited", () => {
      exited = true;
    });
    await writeFile(file, "");
    await expect(ref.run(undefined, { name: "spin" })).rejects.toMatchObject({ reason: { kind: "unresponsive" } });
    const first = ref.run(0).catch((error: { code: string }) => error.code);
    await eventually(() => exited);
    const waiting = [1, 2, 3].map((n) => ref.run(n));
    await rm(file);
    expect(await Promise.all(waiting)).toEqual([2, 3, 4]);
    await first;
    expect(ref.stats()).toMatchObject({ state: "running", incarnation: 2 });
  });
});

describe("a pool that is stopped", () => {
  // Promise: pool-stopped-runs-accepted
  test("runs what it has accepted, and refuses what comes later", async () => {
    const { system, ref } = await start({ maxThreads: 1 });
    const gate = newGate();
    const accepted = [ref.run(gate.word, { name: "gate" }), ref.run(1), ref.run(2)];
    await eventually(() => gate.arrived() === 1);
    const stopped = system.stop();
    await expect(ref.run(3)).rejects.toMatchObject({ code: "ERR_NOPROC", id: "root/work" });
    gate.open();
    expect((await Promise.all(accepted)).slice(1)).toEqual([2, 4]);
    expect((await stopped).children[0]).toMatchObject({ id: "root/work", drained: 3, dropped: 0, killed: false });
  });

  // Promise: pool-stopped-runs-accepted
  test("within its shutdown: what is left then rejects with the reason", async () => {
    const { system, ref } = await start({ maxThreads: 1, shutdown: 100 });
    const outcomes = Promise.allSettled([ref.run(undefined, { name: "spin" }), ref.run(1)]);
    await eventually(() => ref.stats().running === 1);
    const report = await system.stop();
    expect(report.children[0]).toMatchObject({ drained: 0, dropped: 2, killed: true, zombie: false });
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { code: "ERR_CALL_EXIT", reason: { kind: "shutdown" } },
      });
    }
  });

  test("is started again by restartChild, under the same reference", async () => {
    const { system, ref } = await start();
    await system.terminateChild("work");
    await expect(ref.run(1)).rejects.toMatchObject({ code: "ERR_NOPROC" });
    expect(ref.stats()).toMatchObject({ state: "stopped", threads: 0 });
    await system.restartChild("work");
    expect(await ref.run(1)).toBe(2);
    await system.terminateChild("work");
    await system.deleteChild("work");
    await expect(ref.run(1)).rejects.toMatchObject({ code: "ERR_NOPROC" });
  });

  test("leaves no thread behind, also of those that were still starting", async () => {
    const system = await testSystem();
    for (let round = 0; round < 15; round++) {
      const ref = await system.startChild(pool({ id: "work", filename, minThreads: 2 }));
      expect(await ref.run(1)).toBe(2);
      await system.terminateChild("work");
      expect(ref.stats().threads).toBe(0);
      await system.deleteChild("work");
    }
  });
});

describe("an actor with a pool's reference", () => {
  async function withUser(options: Partial<PoolSpec> = {}) {
    const { system, ref } = await start(options);
    const actor = await system.startChild<typeof User>({ id: "user", actor: user });
    return { system, ref, actor };
  }

  // Promise: actor-uses-pool-through
  test("runs tasks, and gets results and errors", async () => {
    const { ref, actor } = await withUser();
    expect(await actor.call("sum", ref, 100)).toBe(9_900);
    expect(await actor.call("transfer", ref)).toEqual([1_000_000, 0]);
    await expect(actor.call("run", ref, "E", "fail")).rejects.toMatchObject({
      code: "ERR_CALL_EXIT",
      reason: { error: { message: "no such luck", code: "E" } },
    });
    await expect(actor.call("run", ref, 3, "exit")).rejects.toMatchObject({
      reason: { error: { code: "ERR_CALL_EXIT", reason: { kind: "exit_called", code: 3 } } },
    });
    expect(ref.stats()).toMatchObject({ incarnation: 1 });
  });

  test("can abort a task", async () => {
    const { ref, actor } = await withUser({ maxThreads: 1 });
    await expect(actor.call("abort", ref)).rejects.toMatchObject({
      reason: { error: { code: "ERR_CALL_ABORTED", cause: "enough" } },
    });
    expect(await ref.run(1)).toBe(2);
  });

  // Promise: actor-uses-pool-through
  test("that ends has its tasks ended", async () => {
    const { ref, actor } = await withUser({ maxThreads: 1 });
    await actor.call("start", ref);
    await eventually(() => ref.stats().running === 1);
    await actor.cast("crash");
    await eventually(() => ref.stats().aborted === 1);
    expect(await ref.run(1)).toBe(2);
  });

  test("gets ERR_NOPROC when the pool is gone", async () => {
    const { system, ref, actor } = await withUser();
    await system.terminateChild("work");
    await system.deleteChild("work");
    await expect(actor.call("run", ref, 1, "default")).rejects.toMatchObject({
      reason: { error: { code: "ERR_NOPROC", id: "root/work" } },
    });
  });

  test("can send it on, and main gets the one it gave away", async () => {
    const { ref, actor } = await withUser();
    const back = (await actor.call("back", ref, actor)) as { pool: unknown; more: Map<string, unknown> };
    expect(back.pool).toBe(ref);
    expect(back.more.get("pool")).toBe(ref);
  });
});

test.each([
  ["filename", {}],
  ["minThreads", { filename, minThreads: 3, maxThreads: 2 }],
  ["maxQueue", { filename, maxQueue: -1 }],
  ["taskTimeoutMs", { filename, taskTimeoutMs: 0 }],
])("a spec with a wrong %s is refused", async (field, options) => {
  const system = await testSystem();
  await expect(system.startChild(pool({ id: "work", ...options } as never))).rejects.toMatchObject({
    code: "ERR_INVALID_CHILD_SPEC",
    field,
  });
});
