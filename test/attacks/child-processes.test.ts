import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import type Parent from "./fixtures/parent.actor.js";

const actor = new URL("./fixtures/parent.actor.js", import.meta.url);

/** A process that has ended and was not waited for is still listed. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.charAt(stat.lastIndexOf(")") + 2) !== "Z";
  } catch {
    return false;
  }
}

async function parentActor(spec: { handlerTimeoutMs?: number } = {}) {
  const system = await testSystem({ intensity: 100 });
  const ref = await system.startChild<typeof Parent>({ id: "parent", actor, ...spec });
  return { system, ref };
}
type Started = Awaited<ReturnType<typeof parentActor>>;

const WAYS: Record<string, (started: Started) => unknown> = {
  "is killed": ({ system, ref }) => system.exit(ref, "kill"),
  crashes: ({ ref }) => ref.cast("crash"),
  "calls process.exit": ({ ref }) => ref.cast("leave"),
  "is stopped": ({ system }) => system.terminateChild("parent"),
  "is upgraded": ({ system, ref }) => system.upgrade(ref, actor),
  "is stopped with its system": ({ system }) => system.stop(),
};

// Promise: process-actor-started-ends
test.each(Object.keys(WAYS))("processes that an actor has started end when it %s", async (way) => {
  const started = await parentActor();
  const pids = await started.ref.call("start");
  expect(pids.map(runs)).toEqual([true, true, true]);
  await WAYS[way](started);
  await eventually(() => !pids.some(runs));
});

// Promise: process-actor-started-ends
test("a process ends with an actor that the watchdog ends in the handler that started it", async () => {
  const { ref } = await parentActor({ handlerTimeoutMs: 300 });
  const told = new SharedArrayBuffer(4);
  await expect(ref.call("startAndSpin", told)).rejects.toMatchObject({ reason: { kind: "unresponsive" } });
  const [pid] = new Int32Array(told);
  expect(pid).toBeGreaterThan(0);
  await eventually(() => !runs(pid));
});

// Promise: process-actor-started-ends
test("a detached process outlives its actor, and one that has ended is its own affair", async () => {
  const { system, ref } = await parentActor();
  expect(await ref.call("startAndWait")).toBe(3);
  const pid = await ref.call("startDetached");
  onTestFinished(() => void process.kill(pid, "SIGKILL"));
  const [other] = await ref.call("start");
  system.exit(ref, "kill");
  await eventually(() => !runs(other));
  expect(runs(pid)).toBe(true);
});
