import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startSystem } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Gate from "../fixtures/gate.actor.js";
import type Log from "../fixtures/log.actor.js";
import type Worker from "../fixtures/worker.actor.js";
import { fixture, testSystem } from "../support/system.js";

const run = promisify(execFile);

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

test("await using stops the system", async () => {
  let terminated: Promise<unknown>;
  {
    await using system = await startSystem({ logger: false });
    terminated = system.terminated;
    await system.startChild({ id: "gate", actor: fixture("gate") });
  }
  expect(await terminated).toEqual({ kind: "shutdown" });
});
