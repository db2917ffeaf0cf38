import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type ActorRef, dynamicSupervisor, pool, resource, router, startSystem, supervisor } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import type Gate from "../fixtures/gate.actor.js";
import type HangsAtStart from "../fixtures/hangs-at-start.actor.js";
import type Log from "../fixtures/log.actor.js";
import type Stubborn from "../fixtures/stubborn.actor.js";
import type Worker from "../fixtures/worker.actor.js";
import { eventually } from "../support/eventually.js";
import { startProgram } from "../support/program.js";
import { fixture, testSystem } from "../support/system.js";

const run = promisify(execFile);

// Promise: terminate-runs-stop-drain
// Promise: draining-actor-refuses-new
test("a stopping actor handles what it has accepted, runs terminate, and refuses what comes later", async () => {
  const system = await testSystem();
  const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const worker = await system.startChild<typeof Worker>({ id: "worker", actor: fixture("worker"), args: { log } });
  await worker.cast("hold", gate);
  await gate.call("someone");
  await worker.cast("take", 1);
  const call = worker.call("ready");
  const stopped = system.terminateChild("worker");
  expect(worker.tryCast("take", 2)).toBe("closed");
  await gate.cast("open");
  await stopped;
  expect(await call).toBeUndefined();
  expect(await log.call("entries")).toEqual([1, "terminate shutdown"]);
});

// Promise: child-asked-shutdown-end
// Promise: left-time-over-dead
test("[sup_stop_timeout] an actor that does not stop in time is killed, and its callers get the reason", async () => {
  const system = await testSystem();
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const worker = await system.startChild<typeof Worker>({ id: "worker", actor: fixture("worker"), shutdown: 50 });
  await worker.cast("hold", gate);
  await gate.call("someone");
  const call = worker.call("ready").catch((e: unknown) => e);
  await system.terminateChild("worker");
  expect(await call).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "killed" } });
});

// Promise: report-says-child-was
test("stop reports per child what was drained, dropped and killed, and terminated resolves", async () => {
  const system = await startSystem({ logger: false });
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const worker = await system.startChild<typeof Worker>({
    id: "worker",
    actor: fixture("worker"),
    shutdown: "infinity",
  });
  await worker.cast("hold", gate);
  await gate.call("someone");
  await worker.cast("take", 1);
  const before = performance.now();
  const report = await system.stop({ timeoutMs: 300 });
  expect(performance.now() - before).toBeLessThan(500);
  expect(report.children).toMatchObject([
    { id: "root/worker", killed: true, drained: 0, dropped: 2 },
    { id: "root/gate", killed: false, reason: { kind: "shutdown" } },
  ]);
  expect(await system.terminated).toEqual({ kind: "shutdown" });
  expect(await system.stop()).toBe(report);
});

// Promise: afterwards-calls-administration-reject
test("after stop, calls and startChild reject, and calls that were open have settled", async () => {
  const system = await startSystem({ logger: false });
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const open = gate.call("pass").catch((e: unknown) => e);
  await gate.call("someone");
  await system.stop();
  expect(await open).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "shutdown" } });
  expect(await gate.call("open").catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC" });
  expect(await system.startChild({ id: "late", actor: fixture("gate") }).catch((e: unknown) => e)).toMatchObject({
    code: "ERR_SYSTEM_STOPPED",
  });
});

// Promise: afterwards-calls-administration-reject
test("the process ends by itself after stop", async () => {
  const program = `
    import { startSystem } from "@mini-otp/runtime";
    const system = await startSystem();
    const gate = await system.startChild({ id: "gate", actor: new URL(${JSON.stringify(fixture("gate").href)}) });
    await gate.call("open");
    await system.stop();
    console.log("stopped");`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], {
    cwd: import.meta.dirname,
    timeout: 20_000,
  });
  expect(stdout).toBe("stopped\n");
});

// Promise: await-using-stops-system
test("await using stops the system", async () => {
  let terminated: Promise<unknown>;
  {
    await using system = await startSystem({ logger: false });
    terminated = system.terminated;
    await system.startChild({ id: "gate", actor: fixture("gate") });
  }
  expect(await terminated).toEqual({ kind: "shutdown" });
});

// Promise: afterwards-calls-administration-reject
test("nothing is left after a stop: no thread, timer, port or handle, and no listener of the process", async () => {
  const program = startProgram(fileURLToPath(new URL("../threads/programs/census.js", import.meta.url)));
  const { output, ...end } = await program.ended;
  expect(end).toEqual({ errors: "", code: 0, signal: null });
  const { before, after } = JSON.parse(output);
  expect(after).toEqual(before);
}, 90_000);

// Promise: report-says-child-was
test("the report counts what each child handled while it drained, and the sum for the tree", async () => {
  const system = await startSystem({ logger: false });
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const inner = await system.startChild(dynamicSupervisor({ id: "inner" }));
  for (const id of ["a", "b"]) {
    const worker = await inner.startChild<typeof Worker>({ id, actor: fixture("worker") });
    await worker.cast("hold", gate);
    for (let i = 0; i < 10; i++) await worker.cast("ready");
    await eventually(() => system.stats(worker).handling !== null);
  }
  const stopped = system.stop();
  await gate.call("open");
  expect(await stopped).toMatchObject({
    drained: 22,
    dropped: 0,
    killed: false,
    zombie: false,
    children: [
      {
        id: "root/inner",
        drained: 22,
        children: [
          { id: expect.any(String), drained: 11, dropped: 0 },
          { id: expect.any(String), drained: 11, dropped: 0 },
        ],
      },
      { id: "root/gate", drained: 0 },
    ],
  });
});

// Promise: child-waits-restart-refuses
test("messages that wait for a restart are refused from the stop on, dead-lettered, and in the report", async () => {
  const system = await startSystem({ logger: false });
  const deadLetters: string[] = [];
  system.on("dead_letter", ({ id, method, why }) => deadLetters.push(`${id} ${method} ${why}`));
  const inner = await system.startChild(supervisor({ id: "inner" }));
  const backoff = { minMs: 60_000, maxMs: 60_000 };
  const a = await inner.startChild<typeof Counter>({ id: "a", actor: fixture("counter"), backoff });
  const crashed = new Promise((resolve) => system.on("actor_exited", resolve));
  await a.cast("crash", "boom");
  await crashed;
  await a.cast("add", 1);
  const call = a.call("get").catch((e: unknown) => e);
  const stopped = system.stop();
  expect(a.tryCast("add", 2)).toBe("closed");
  expect((await stopped).children).toMatchObject([
    { id: "root/inner", dropped: 2, children: [{ id: "root/inner/a", drained: 0, dropped: 2 }] },
  ]);
  expect(await call).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "shutdown" } });
  expect(deadLetters.slice(1)).toEqual(["root/inner/a add queued", "root/inner/a get queued"]);
});

// Promise: report-says-child-was
test("a child that crashes while the tree stops is not restarted, and what waited in it is in the report", async () => {
  const system = await startSystem({ logger: false });
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const a = await system.startChild<typeof Worker>({ id: "a", actor: fixture("worker") });
  await a.cast("hold", gate);
  await a.cast("takeOrCrash", 1, [1]);
  for (let i = 0; i < 3; i++) await a.cast("ready");
  await gate.call("someone");
  const stopped = system.stop();
  await gate.cast("open");
  expect((await stopped).children).toMatchObject([
    { id: "root/a", drained: 1, dropped: 4, killed: false, reason: { kind: "error" } },
    { id: "root/gate" },
  ]);
});

// Promise: stop-may-called-any
test("stop may be called again: the report is the same, and the earliest deadline holds", async () => {
  const system = await startSystem({ logger: false });
  const spec = { id: "a", actor: fixture("stubborn"), args: { terminate: "hang" }, shutdown: "infinity" } as const;
  await system.startChild<typeof Stubborn>(spec);
  const first = system.stop();
  const before = performance.now();
  const second = system.stop({ timeoutMs: 200 });
  const third = system.stop({ timeoutMs: 60_000 });
  expect(await second).toBe(await first);
  expect(await third).toBe(await first);
  expect(performance.now() - before).toBeGreaterThan(190);
  expect((await first).children).toMatchObject([{ id: "root/a", killed: true }]);
});

// Promise: stop-may-called-any
test("stop may be called while children start: their startChild rejects, and nothing of them is left", async () => {
  const system = await startSystem({ logger: false });
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const args = { initGate: gate };
  const starting = ["a", "b"].map((id) =>
    system.startChild<typeof Worker>({ id, actor: fixture("worker"), args }).catch((e: unknown) => e),
  );
  await gate.call("someone");
  const report = await system.stop();
  for (const result of await Promise.all(starting)) expect(result).toMatchObject({ code: "ERR_SYSTEM_STOPPED" });
  expect(report.children.map(({ id }) => id).sort()).toEqual(["root/a", "root/b", "root/gate"]);
  expect(system.stats()).toMatchObject({ actors: 0, threads: 0 });
});

// Promise: stop-may-called-any
test("stop may be called in a storm of restarts, and no child is started after it", async () => {
  const system = await startSystem({ logger: false, intensity: 1_000_000, strategy: "one_for_all" });
  let restarts = 0;
  let stopping = false;
  const late: string[] = [];
  system.on("actor_restarted", () => restarts++);
  system.on("actor_started", ({ id }) => stopping && late.push(id));
  for (const id of ["a", "b", "c"]) await system.startChild({ id, actor: fixture("counter") });
  system.on("actor_started", () => {
    for (const { ref } of system.whichChildren()) void (ref as ActorRef).cast("crash", "again").catch(() => {});
  });
  await system.child("a").cast("crash", "first");
  await eventually(() => restarts > 10);
  stopping = true;
  await system.stop({ timeoutMs: 2000 });
  expect(late).toEqual([]);
  expect(system.stats()).toMatchObject({ actors: 0, threads: 0 });
});

// Promise: stop-may-called-any
test("stop after the root gave up has the root's own reason", async () => {
  const system = await startSystem({ logger: false, intensity: 0 });
  const a = await system.startChild<typeof Counter>({ id: "a", actor: fixture("counter") });
  await a.cast("crash", "boom");
  const reason = await system.terminated;
  expect(reason).toMatchObject({ detail: { kind: "reached_max_restart_intensity" } });
  expect(await system.stop()).toMatchObject({ reason, killed: false });
});

test("a timeoutMs that is no time is refused, and nothing is stopped", async () => {
  const system = await testSystem();
  for (const timeoutMs of [-1, Number.NaN, "100" as unknown as number]) {
    await expect(system.stop({ timeoutMs })).rejects.toThrow(RangeError);
  }
  expect(system.tree().state).toBe("running");
});

describe("the report says of a child that was between two lives that it was restarting, and was not killed:", () => {
  const restarting = { id: "root/a", state: "restarting", killed: false, zombie: false, reason: { kind: "shutdown" } };

  // Promise: report-child-was-between
  test("it waited for its next start", async () => {
    const system = await startSystem({ logger: false });
    const backoff = { minMs: 60_000, maxMs: 60_000 };
    const a = await system.startChild<typeof Counter>({ id: "a", actor: fixture("counter"), backoff });
    await system.startChild({ id: "b", actor: fixture("counter") });
    await a.cast("crash", "x");
    await eventually(() => system.tree().children?.[0]?.state === "restarting");
    const report = await system.stop({ reason: { kind: "shutdown" } });
    expect(report).toMatchObject({ killed: false });
    expect(report.children).toMatchObject([restarting, { id: "root/b", state: "running", killed: false }]);
  });

  // Promise: report-child-was-between
  test.each([1, 2])("it was in the middle of a start (incarnation %i)", async (from) => {
    const system = await startSystem({ logger: false });
    const starting = system
      .startChild<typeof HangsAtStart>({ id: "a", actor: fixture("hangs-at-start"), args: { from } })
      .catch((error: unknown) => error);
    if (from === 2) system.exit((await starting) as ActorRef, "kill");
    await eventually(() => system.tree().children?.[0]?.state === "restarting" && system.stats().threads === 1);
    const report = await system.stop();
    expect(report).toMatchObject({ killed: false });
    expect(report.children).toMatchObject([restarting]);
    if (from === 1) expect(await starting).toMatchObject({ code: "ERR_SYSTEM_STOPPED" });
  });

  // Promise: report-child-was-between
  test("a pool that was starting, and a resource", async () => {
    const system = await startSystem({ logger: false });
    const filename = new URL("../pool/fixtures/hanging.js", import.meta.url);
    void system.startChild(pool({ id: "a", filename })).catch(() => {});
    void system
      .startChild(resource({ id: "r", start: () => new Promise(() => {}), stop() {}, shutdown: 50 }))
      .catch(() => {});
    const report = await system.stop();
    expect(report.children.find(({ id }) => id === "root/a")).toMatchObject(restarting);
    expect(report.children.find(({ id }) => id === "root/r")).toMatchObject({ state: "restarting" });
  });

  // Promise: report-child-was-between
  test.each([0, 5_000])("a router's member, and children deeper in the tree, within %i ms", async (timeoutMs) => {
    const system = await startSystem({ logger: false });
    const backoff = { minMs: 60_000, maxMs: 60_000 };
    const spec = { id: "r", actor: fixture("counter"), size: 1, route: "round_robin", backoff } as const;
    const members = await system.startChild(router<typeof Counter>(spec));
    const inner = await system.startChild(supervisor({ id: "inner" }));
    const waits = await inner.startChild<typeof Counter>({ id: "waits", actor: fixture("counter"), backoff });
    const args = { from: 2 };
    const starts = await inner.startChild<typeof HangsAtStart>({ id: "a", actor: fixture("hangs-at-start"), args });
    await members.cast("crash", "x");
    await waits.cast("crash", "x");
    system.exit(starts, "kill");
    const between = () => [...members.whichChildren(), ...inner.whichChildren()].map(({ state }) => state);
    await eventually(() => between().every((state) => state === "restarting") && system.stats().threads === 1);
    const report = await system.stop({ timeoutMs });
    const [deep, routed] = ["root/inner", "root/r"].map((id) => report.children.find((child) => child.id === id));
    const wasBetween = (id: string) => ({ ...restarting, id });
    expect(deep?.children).toHaveLength(2);
    expect(deep?.children).toEqual(
      expect.arrayContaining(["root/inner/a", "root/inner/waits"].map((id) => expect.objectContaining(wasBetween(id)))),
    );
    expect(routed?.children).toMatchObject([wasBetween("root/r/0")]);
    expect([report.killed, deep?.killed, routed?.killed]).toEqual([false, false, false]);
  });
});
