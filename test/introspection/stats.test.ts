import type { ActorRef, ActorSystem } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Gate from "../fixtures/gate.actor.js";
import type Meter from "../fixtures/meter.actor.js";
import type Talker from "../fixtures/talker.actor.js";
import type Worker from "../fixtures/worker.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";

async function meterSystem(spec: object = {}): Promise<{ system: ActorSystem; meter: ActorRef<typeof Meter> }> {
  const system = await testSystem();
  const meter = await system.startChild<typeof Meter>({ id: "meter", actor: fixture("meter"), ...spec });
  return { system, meter };
}

const metersOf = (system: ActorSystem, id: string) => {
  const found = system.meters.actors().find((actor) => actor.id === id);
  if (found === undefined) throw new Error(`no actor ${id}`);
  return found;
};
const sum = (counts: Iterable<number>) => [...counts].reduce((a, b) => a + b, 0);

test("latency is the time from being sent to being handled", async () => {
  const { system, meter } = await meterSystem();
  for (let i = 0; i < 10; i++) await meter.call("burn", 5);
  await eventually(() => system.stats(meter).mailbox.handled === 10);
  const { latency } = system.stats(meter);
  expect(latency.p50Ms).toBeGreaterThanOrEqual(4);
  expect(latency.p99Ms).toBeGreaterThanOrEqual(latency.p50Ms);
  expect(latency.maxMs).toBeGreaterThanOrEqual(latency.p99Ms);
  // Twenty at once: the last waits for the nineteen before it.
  await Promise.all(Array.from({ length: 20 }, () => meter.call("burn", 5)));
  await eventually(() => system.stats(meter).mailbox.handled === 30);
  expect(system.stats(meter).latency.maxMs).toBeGreaterThanOrEqual(95);
});

test("a histogram of a slow actor has every message, with the time it waited and the time it took", async () => {
  const { system, meter } = await meterSystem();
  await Promise.all(Array.from({ length: 10 }, () => meter.call("burn", 3)));
  await eventually(() => system.stats(meter).mailbox.handled === 10);
  const { wait, handling } = metersOf(system, "root/meter");
  expect(sum(handling.counts)).toBe(10);
  expect(sum(wait.counts)).toBe(10);
  expect(handling.sumMs).toBeGreaterThanOrEqual(30);
  // 0 + 3 + … + 27.
  expect(wait.sumMs).toBeGreaterThanOrEqual(134);
});

test("a histogram of a fast actor is a sample that stands for all", async () => {
  const { system, meter } = await meterSystem({ mailbox: { capacity: 100_000 } });
  for (let i = 0; i < 50_000; i++) meter.tryCast("quick");
  await meter.call("quick");
  await eventually(() => system.stats(meter).mailbox.length === 0 && system.stats(meter).handling === null);
  const { handled } = system.stats(meter).mailbox;
  expect(Math.abs(sum(metersOf(system, "root/meter").handling.counts) - handled)).toBeLessThan(32);
});

test("an async handler takes as long as its promise", async () => {
  const { system, meter } = await meterSystem();
  await meter.call("rest", 30);
  await eventually(() => system.stats(meter).mailbox.handled === 1);
  expect(metersOf(system, "root/meter").handling.maxMs).toBeGreaterThanOrEqual(29);
});

// Promise: stats-right-actor-hangs
test("the oldest message's age grows while the actor hangs, also when it was fast before", async () => {
  const { system, meter } = await meterSystem();
  for (let i = 0; i < 500; i++) await meter.cast("quick");
  await meter.call("quick");
  expect(system.stats(meter).mailbox.oldestAgeMs).toBe(0);
  await meter.cast("spin");
  await meter.cast("quick");
  await eventually(() => system.stats(meter).mailbox.oldestAgeMs > 300);
  const { mailbox, handling } = system.stats(meter);
  expect(mailbox.length).toBe(1);
  expect(handling).toMatchObject({ method: "spin" });
  expect(handling?.sinceMs).toBeGreaterThanOrEqual(mailbox.oldestAgeMs - 300);
});

// Promise: stats-right-actor-hangs
test("CPU time is that of the actor's own thread: it grows while it hangs, and stands still while it sleeps", async () => {
  const { system, meter } = await meterSystem();
  await meter.call("burn", 50);
  const idle = await system.startChild<typeof Meter>({ id: "idle", actor: fixture("meter") });
  await idle.call("quick");
  const before = system.stats(idle).cpuMs;
  const burned = system.stats(meter).cpuMs;
  await meter.cast("spin");
  await eventually(() => system.stats(meter).cpuMs > burned + 200);
  expect(system.stats(idle).cpuMs - before).toBeLessThan(100);
});

// Promise: counts-go-over-restarts
test("counts, CPU time and histograms go on over a restart, and over a kill", async () => {
  const { system, meter } = await meterSystem();
  await meter.call("burn", 20);
  await meter.call("crash").catch(() => {});
  await meter.call("burn", 20);
  await eventually(() => system.stats(meter).mailbox.handled === 2);
  const { mailbox, cpuMs } = system.stats(meter);
  expect(mailbox.enqueued).toBe(3);
  expect(cpuMs).toBeGreaterThanOrEqual(35);
  system.exit(meter, "kill");
  await eventually(() => system.stats(meter).incarnation === 3);
  await meter.call("quick");
  await eventually(() => system.stats(meter).mailbox.handled === 3);
  expect(system.stats(meter).cpuMs).toBeGreaterThanOrEqual(cpuMs);
  const { lost, handling } = metersOf(system, "root/meter");
  expect(lost).toEqual({ overflow: 0, crash: 1, restart: 0, closed: 0, unhandled: 0 });
  expect(sum(handling.counts)).toBe(4);
});

test("the event loop's busy time leaves out the time asleep", async () => {
  const { system, meter } = await meterSystem();
  await meter.call("burn", 100);
  await eventually(() => system.stats(meter).handling === null);
  const { loop } = metersOf(system, "root/meter");
  expect(loop.busyMs).toBeGreaterThanOrEqual(95);
  expect(loop.elapsedMs).toBeGreaterThanOrEqual(loop.busyMs);
  await eventually(() => metersOf(system, "root/meter").loop.elapsedMs > loop.elapsedMs + 300);
  expect(metersOf(system, "root/meter").loop.busyMs - loop.busyMs).toBeLessThan(200);
});

// Promise: calls-counted-how-ended
test("calls are counted by how they ended", async () => {
  const { system, meter } = await meterSystem();
  const failed = (call: Promise<unknown>) => call.catch(() => {});
  await meter.call("quick");
  await meter.call("quick");
  await failed(meter.call("refuse"));
  await failed(meter.with({ timeoutMs: 1 }).call("burn", 30));
  await failed((meter as ActorRef).call("nothing"));
  const unsendable: unknown = () => {};
  await failed((meter as ActorRef).call("quick", unsendable));
  await failed(meter.with({ signal: AbortSignal.abort() }).call("quick"));
  await failed(meter.call("crash"));
  await meter.call("quick");
  await system.terminateChild("meter");
  await failed(meter.call("quick"));
  expect(metersOf(system, "root/meter").calls).toEqual({
    reply: 3,
    failure: 1,
    timeout: 1,
    exit: 1,
    noproc: 1,
    aborted: 1,
    mailbox_full: 0,
    cycle: 0,
    error: 2,
  });
});

test("calls from other actors are counted too", async () => {
  const system = await testSystem();
  const counter = await system.startChild({ id: "counter", actor: fixture("counter") });
  const talker = await system.startChild<typeof Talker>({ id: "talker", actor: fixture("talker") });
  await talker.call("prepare", counter);
  await talker.call("talk", 5);
  expect(metersOf(system, "root/counter").calls.reply).toBe(5);
});

// Promise: time-spent-waiting-room
test("the time that main and actors wait for room is counted while they wait", async () => {
  const system = await testSystem();
  const gate = await system.startChild<typeof Gate>({ id: "gate", actor: fixture("gate") });
  const worker = await system.startChild<typeof Worker>({
    id: "worker",
    actor: fixture("worker"),
    mailbox: { capacity: 1 },
  });
  await worker.cast("hold", gate);
  await gate.call("someone");
  await worker.cast("ready");
  const waiting = worker.cast("ready");
  await eventually(() => system.stats(worker).mailbox.blockedMs > 900);
  const meter = await system.startChild<typeof Meter>({ id: "meter", actor: fixture("meter") });
  const before = system.stats(worker).mailbox.blockedMs;
  const flooding = meter.call("flood", worker, 1);
  await eventually(() => system.stats(worker).mailbox.blockedMs > before + 40);
  await gate.cast("open");
  await Promise.all([waiting, flooding.catch(() => {})]);
});

test("memory is right for an actor that is busy, that sleeps, and that hangs", async () => {
  const { system, meter } = await meterSystem({ heapCapMb: 128, offHeapCapMb: 128 });
  await meter.call("keep", 20);
  await meter.call("keepBytes", 30);
  // Busy.
  await meter.call("burn", 200);
  await eventually(() => system.stats(meter).handling === null);
  const asleep = system.stats(meter);
  expect(asleep.heapUsedMb).toBeGreaterThan(20);
  expect(asleep.heapUsedMb).toBeLessThan(128);
  expect(asleep.offHeapMb).toBeGreaterThan(29);
  expect(asleep.offHeapMb).toBeLessThan(64);
  await meter.cast("spin");
  await eventually(() => (system.stats(meter).handling?.sinceMs ?? 0) > 100);
  const hung = system.stats(meter);
  expect(hung.heapUsedMb).toBeGreaterThan(20);
  expect(hung.offHeapMb).toBeGreaterThan(29);
});

test("a supervisor tells how many restarts count against its intensity", async () => {
  const { system, meter } = await meterSystem();
  await meter.call("crash").catch(() => {});
  await eventually(() => system.stats(meter).incarnation === 2);
  expect(system.recentRestarts()).toEqual({ count: 1, intensity: 3, periodMs: 5000 });
  expect(system.meters.supervisors()).toEqual([{ id: "root", restarts: { count: 1, intensity: 3, periodMs: 5000 } }]);
});
