import { channel } from "node:diagnostics_channel";
import type { ActorRef, SystemOptions } from "@mini-otp/runtime";
import { expect, onTestFinished, test } from "vitest";
import type Ending from "../../fixtures/ending.actor.js";
import { eventually } from "../../support/eventually.js";
import { recordingLogger } from "../../support/recording-logger.js";
import { fixture, testSystem } from "../../support/system.js";

const actor = fixture("ending");

async function logged(options: SystemOptions = {}) {
  const { logger, lines } = recordingLogger();
  const system = await testSystem({ logger, ...options });
  const a: ActorRef<typeof Ending> = await system.startChild<typeof Ending>({ id: "a", actor, heapCapMb: 32 });
  const about = (event: string) => lines.filter(({ fields }) => fields.event === event);
  return { system, a, lines, about };
}

// Promise: normal-shutdown-shutdown-detail
test("[crash] a crash is one record and one event, with supervisor, context, offender, last method, queue and heap", async () => {
  const { system, a, about } = await logged();
  const events: unknown[] = [];
  system.on("actor_exited", (event) => void events.push(event));
  await system.suspend(a);
  const crash = a.call("crash", "boom").catch(() => {});
  const waiting = a.call("incarnation");
  await system.resume(a);
  await crash;
  expect(await waiting).toBe(2);
  const facts = {
    event: "actor_exited",
    supervisor: "root",
    context: "child_terminated",
    offender: { id: "a", type: "worker", restart: "permanent" },
    incarnation: 1,
    lastMethod: "crash",
    queueLength: 1,
    heapCapMb: 32,
  };
  expect(events).toMatchObject([{ ...facts, id: "root/a", reason: { kind: "error", error: { message: "boom" } } }]);
  expect(about("actor_exited")).toMatchObject([
    {
      level: "error",
      fields: { ...facts, actor: "root/a", reason: { kind: "error", err: { type: "Error", message: "boom" } } },
    },
  ]);
});

test("an actor that goes over its heap cap leaves the heap it had in the record", async () => {
  const { a, about } = await logged();
  await a
    .with({ timeoutMs: 20_000 })
    .call("hoard", 80)
    .catch(() => {});
  await eventually(() => about("actor_exited").length > 0);
  const [{ fields }] = about("actor_exited");
  expect(fields).toMatchObject({ reason: { kind: "heap_cap_exceeded" }, lastMethod: "hoard", heapCapMb: 32 });
  expect(fields.heapUsedMb).toBeGreaterThan(0);
});

// Promise: stop-clean-reported-succeeds
test("[terminate_crash_format] a terminate that throws is one error record with its error", async () => {
  const { system, about } = await logged();
  await system.startChild({ id: "t", actor, args: { failTerminate: true } });
  await system.terminateChild("t");
  expect(about("actor_exited")).toMatchObject([
    {
      level: "error",
      fields: {
        actor: "root/t",
        context: "shutdown_error",
        lastMethod: "terminate",
        reason: { kind: "error", err: { message: "terminate" } },
      },
    },
  ]);
});

test("a failed start, a restart and an escalation are one record and one event each", async () => {
  const { system, a, about } = await logged({ intensity: 1, periodMs: 60_000 });
  const told: string[] = [];
  for (const event of ["child_start_failed", "actor_restarted", "supervisor_escalated"] as const) {
    system.on(event, () => void told.push(event));
  }
  await system.startChild({ id: "b", actor, args: { failFrom: 1 } }).catch(() => {});
  await a.call("crash", "one").catch(() => {});
  expect(await a.call("incarnation")).toBe(2);
  await a.call("crash", "two").catch(() => {});
  await system.terminated;
  expect(told).toEqual(["child_start_failed", "actor_restarted", "supervisor_escalated"]);
  expect(about("child_start_failed")).toMatchObject([{ level: "error", fields: { actor: "root/b", incarnation: 1 } }]);
  expect(about("actor_restarted")).toMatchObject([
    { level: "info", fields: { attempt: 1, delayMs: 0, incarnation: 2 } },
  ]);
  expect(about("supervisor_escalated")).toMatchObject([
    { level: "error", fields: { actor: "root", context: "shutdown", offender: { id: "a" } } },
  ]);
});

// Promise: storm-identical-reports-collapsed
test("a storm of crashes is a few lines, and the system's stop tells how many they were", async () => {
  const { system, a, about } = await logged({ intensity: 1_000 });
  for (let i = 0; i < 6; i++) await a.call("crash", "again").catch(() => {});
  await a.call("incarnation");
  await system.stop();
  const crashes = about("actor_exited").filter(({ level }) => level === "error");
  // Where a crash takes seconds, each is a line: `reporting/report-log` has the times.
  expect(crashes.slice(0, 3).map(({ fields }) => fields.repeated)).toEqual([undefined, undefined, undefined]);
  expect(crashes.reduce((told, { fields }) => told + (fields.repeated ?? 1), 0)).toBe(6);
});

// Promise: listener-throws
test("a listener that throws is logged, and neither its supervisor nor the other listeners notice", async () => {
  const { system, a, lines } = await logged();
  const heard: string[] = [];
  system.on("actor_exited", () => {
    throw new Error("listener");
  });
  system.on("actor_exited", ({ id }) => void heard.push(id));
  system.monitor(a, () => {
    throw new Error("monitor");
  });
  await a.call("crash", "boom").catch(() => {});
  expect(await a.call("incarnation")).toBe(2);
  expect(heard).toEqual(["root/a"]);
  expect(lines.map(({ message }) => message)).toEqual(
    expect.arrayContaining(["a listener for actor_exited threw", "a monitor's listener for root/a threw"]),
  );
});

test("every event goes to its diagnostics channel too", async () => {
  const { a } = await logged();
  const published: unknown[] = [];
  const listener = (message: unknown) => void published.push(message);
  const exits = channel("mini-otp:actor_exited");
  exits.subscribe(listener);
  onTestFinished(() => void exits.unsubscribe(listener));
  await a.call("crash", "boom").catch(() => {});
  expect(published).toMatchObject([{ event: "actor_exited", id: "root/a" }]);
});

test("a system that has started says so on a diagnostics channel, for a monitor of all systems", async () => {
  const published: unknown[] = [];
  const listener = (message: unknown) => void published.push(message);
  const starts = channel("mini-otp:system_started");
  starts.subscribe(listener);
  onTestFinished(() => void starts.unsubscribe(listener));
  const system = await testSystem();
  expect(published).toMatchObject([{ event: "system_started", id: "root", system }]);
});
