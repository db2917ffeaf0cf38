import { dynamicSupervisor, startSystem } from "@mini-otp/runtime";
import { expect, onTestFinished, test } from "vitest";
import { healthOf } from "#runtime/introspection/health.js";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import type Hold from "./fixtures/hold.actor.js";

const actor = new URL("./fixtures/hold.actor.js", import.meta.url);
const WELL = { live: true, ready: true, problems: [] };

test("a system whose children all run is live and ready", async () => {
  const system = await testSystem();
  await system.startChild<typeof Hold>({ id: "hold", actor });
  expect(system.health()).toEqual(WELL);
});

// Promise: health-not-ready
test("a system is not ready while a permanent child is suspended, at any depth, and is again when that ends", async () => {
  const system = await testSystem();
  const group = await system.startChild(dynamicSupervisor({ id: "group" }));
  const hold = await group.startChild<typeof Hold>({ id: "hold", actor });
  const spare = await group.startChild<typeof Hold>({ id: "spare", actor, restart: "temporary" });
  await system.suspend(spare);
  expect(system.health()).toEqual(WELL);
  await system.suspend(hold);
  const problems = [{ id: "root/group/hold", problem: "suspended" }];
  expect(system.health()).toEqual({ live: true, ready: false, problems });
  await system.resume(hold);
  expect(system.health()).toEqual(WELL);
});

test("a system is not ready while a permanent child waits for its restart", async () => {
  const system = await testSystem();
  const hold = await system.startChild<typeof Hold>({ id: "hold", actor, backoff: { minMs: 60_000, maxMs: 60_000 } });
  await hold.call("crash").catch(() => {});
  await eventually(() => !system.health().ready);
  expect(system.health()).toEqual({ live: true, ready: false, problems: [{ id: "root/hold", problem: "restarting" }] });
});

test("a system is not ready while a mailbox has been full for over a second, and is again once it is half empty", async () => {
  const system = await testSystem();
  const word = new Int32Array(new SharedArrayBuffer(8));
  const open = (): void => {
    Atomics.store(word, 0, 1);
    Atomics.notify(word, 0);
  };
  onTestFinished(open);
  const mailbox = { capacity: 4, overflow: "reject" } as const;
  const hold = await system.startChild<typeof Hold>({ id: "hold", actor, mailbox });
  await hold.cast("hold", word);
  await eventually(() => Atomics.load(word, 1) === 1);
  while (hold.tryCast("nothing") === "ok");
  expect(system.health()).toEqual(WELL);
  await eventually(() => !system.health().ready);
  const { live, problems } = system.health();
  expect({ live, problems }).toEqual({
    live: true,
    problems: [{ id: "root/hold", problem: expect.stringMatching(/^its mailbox has been full for [1-9]\d*\.\d s$/) }],
  });
  open();
  await eventually(() => system.health().ready);
});

// Promise: health-not-live
test("a system is not live once its root has given up, and not ready once it stops", async () => {
  const { exitCode } = process;
  onTestFinished(() => {
    process.exitCode = exitCode;
  });
  const failing = await startSystem({ intensity: 0, logger: false });
  const hold = await failing.startChild<typeof Hold>({ id: "hold", actor });
  await hold.call("crash").catch(() => {});
  await failing.terminated;
  const problems = [{ id: "root", problem: "the root has given up" }];
  expect(failing.health()).toEqual({ live: false, ready: false, problems });

  const ending = await startSystem({ logger: false });
  const stopped = ending.stop();
  expect(ending.health()).toMatchObject({ live: true, ready: false, problems: [{ problem: "stopping" }] });
  await stopped;
  expect(ending.health()).toMatchObject({ live: true, ready: false, problems: [{ problem: "stopped" }] });
});

test("a guard that does not run is a problem that only a new process mends, and a restart is one that passes", async () => {
  const { flags } = await testSystem();
  const child = { id: "root/work", type: "worker", state: "restarting", restart: "permanent" } as const;
  const tree = {
    id: "root",
    type: "supervisor",
    state: "running",
    restart: "permanent",
    flags,
    children: [child],
  } as const;
  const facts = { tree, gaveUp: false, isStopping: false, guardMissedMs: 0, fullForMs: new Map() };
  expect(healthOf(facts)).toEqual({
    live: true,
    ready: false,
    problems: [{ id: "root/work", problem: "restarting" }],
  });
  expect(healthOf({ ...facts, tree: { ...tree, children: [] }, guardMissedMs: 6_120 })).toEqual({
    live: false,
    ready: false,
    problems: [{ id: "root", problem: "main's guard has not run for 6.1 s" }],
  });
});
