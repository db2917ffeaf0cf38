import { registerMetrics } from "@mini-otp/metrics";
import type { ActorSpec } from "@mini-otp/runtime";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { observe } from "../observer/ask.js";
import { EventStream } from "../observer/sse.js";
import { eventually } from "../support/eventually.js";
import { parseExposition } from "../support/exposition.js";
import { failureOf } from "../support/processes.js";
import type Native from "./fixtures/native.actor.js";
import { startNative } from "./native.js";

const start = (options: Partial<ActorSpec<typeof Native>> = {}) =>
  startNative({ callTimeoutMs: 25_000, heapCapMb: 128, offHeapCapMb: 256, ...options });

// Promise: actor-process-stats
test("its stats have the heap, the native memory and the number of its process", async () => {
  const { ref } = await start();
  const before = ref.stats();
  expect(before.process).toEqual({ pid: await ref.call("pid"), rssMb: expect.any(Number) });
  expect(before.process?.rssMb).toBeGreaterThan(20);
  expect(before.heapUsedMb).toBeGreaterThan(1);
  expect(before.offHeapMb).toBeLessThan(60);
  const mainMb = process.memoryUsage.rss() / 2 ** 20;
  await ref.call("takeNative", 100);
  const native = ref.stats();
  expect(native.offHeapMb - before.offHeapMb).toBeGreaterThan(60);
  expect(native.process?.rssMb).toBeGreaterThan(100);
  expect(process.memoryUsage.rss() / 2 ** 20 - mainMb).toBeLessThan(90);
  await ref.call("hold", 40);
  await eventually(() => ref.stats().heapUsedMb > 40);
  expect(ref.stats().heapUsedMb).toBeLessThan(128);
});

// Promise: actor-process-stats
test("while it is blocked they go on, and say for how long the heap is old; CPU time counts over restarts", async () => {
  const { system, ref } = await start({ handlerTimeoutMs: 60_000 });
  const { pid } = ref.stats().process ?? {};
  const looping = failureOf(ref.call("loop"));
  const { cpuMs } = ref.stats();
  expect(ref.stats().silentMs).toBe(0);
  await eventually(() => ref.stats().cpuMs > cpuMs + 300 && ref.stats().silentMs > 700);
  expect(ref.stats()).toMatchObject({ process: { pid }, handling: { method: "loop" } });
  const [{ loop }] = system.meters.actors();
  expect(loop.busyMs).toBeGreaterThan(500);
  expect(loop.busyMs).toBeLessThanOrEqual(loop.elapsedMs);
  const burned = ref.stats().cpuMs;
  process.kill(pid as number, "SIGKILL");
  await looping;
  const second = await ref.call("pid");
  expect(second).not.toBe(pid);
  expect(ref.stats().process?.pid).toBe(second);
  expect(ref.stats().cpuMs).toBeGreaterThan(burned);
  expect(ref.stats().silentMs).toBe(0);
  await system.terminateChild("native");
  const stopped = ref.stats();
  expect(stopped).toMatchObject({ state: "stopped", heapUsedMb: 0 });
  expect(stopped.process).toBe(undefined);
  expect(stopped.cpuMs).toBeGreaterThan(burned);
});

test("a handler that waits is not silent, and one that has begun a moment ago is not either", async () => {
  const { ref } = await start();
  const sleeping = ref.call("sleep", 1_500);
  await eventually(() => (ref.stats().handling?.sinceMs ?? 0) > 1_200);
  expect(ref.stats().silentMs).toBeLessThan(1_000);
  await sleeping;
});

test("the metrics, the tree, the crash report and the observer have them", async () => {
  const { system, ref } = await start({ name: "it" });
  const exits: unknown[] = [];
  system.on("actor_exited", (event) => exits.push(event));
  const registry = new Registry();
  const { unregister } = registerMetrics(system, { registry });
  onTestFinished(unregister);
  const { url } = await observe(system, { token: "open-sesame" });
  const stream = await EventStream.open(url);
  const pid = await ref.call("pid");
  await ref.call("takeNative", 100);
  const samples = parseExposition(await registry.metrics());
  const of = (name: string) => samples.find((each) => each.name === `mini_otp_${name}` && each.labels.actor === "it");
  expect(of("actor_process_resident_bytes")?.value).toBeGreaterThan(100 * 2 ** 20);
  expect(of("actor_off_heap_bytes")?.value).toBeGreaterThan(60 * 2 ** 20);
  expect(system.tree().children?.[0]?.stats?.process?.pid).toBe(pid);
  await eventually(() => stream.row("root/native")?.actor?.process?.rssMb > 100);
  expect(stream.row("root/native").actor.process.pid).toBe(pid);
  process.kill(pid, "SIGKILL");
  await eventually(() => exits.length === 1);
  expect(exits).toMatchObject([{ heapUsedMb: expect.any(Number), offHeapMb: expect.any(Number) }]);
  expect((exits as { offHeapMb: number }[])[0]?.offHeapMb).toBeGreaterThan(60);
});
