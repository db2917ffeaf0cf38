import type { ActorRef, ActorSpec, ActorSystem } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { failureOf } from "../support/processes.js";
import type Native from "./fixtures/native.actor.js";
import { startNative } from "./native.js";

const start = (options: Partial<ActorSpec<typeof Native>> = {}) =>
  startNative({ handlerTimeoutMs: 60_000, ...options });

async function snapshotOf(system: ActorSystem, ref: ActorRef<typeof Native>) {
  const chunks: Uint8Array[] = await (await system.heapSnapshot(ref)).toArray();
  return JSON.parse(Buffer.concat(chunks).toString()) as { strings: string[]; snapshot: { node_count: number } };
}

// Promise: actor-process-looks
test("a heap snapshot is of its process, and is taken also while a handler loops", async () => {
  const { system, ref } = await start();
  const text = `only there ${Math.random()}`;
  await ref.call("keepText", text);
  expect((await snapshotOf(system, ref)).strings).toContain(text);
  const pid = await ref.call("pid");
  void failureOf(ref.call("loop"));
  await eventually(() => ref.stats().silentMs > 0);
  const { strings, snapshot } = await snapshotOf(system, ref);
  expect(strings).toContain(text);
  expect(snapshot.node_count).toBeGreaterThan(10_000);
  expect(ref.stats()).toMatchObject({ incarnation: 1, process: { pid } });
});

// Promise: actor-process-looks
test("a CPU profile is of its process, also while a handler loops, and one is taken at a time", async () => {
  const { system, ref } = await start();
  void failureOf(ref.call("loop"));
  await eventually(() => ref.stats().silentMs > 0);
  const [first, second] = await Promise.allSettled([system.cpuProfile(ref, 300), system.cpuProfile(ref, 5)]);
  expect(second).toMatchObject({ status: "rejected", reason: { code: "ERR_RUNNING" } });
  if (first.status === "rejected") throw first.reason;
  const { nodes, samples } = first.value;
  expect(samples?.length).toBeGreaterThan(0);
  // V8 may count the loop for what has called it. No thread runs this file.
  const inProcess = nodes.filter(({ callFrame }) => /actor-process\.mjs$/.test(callFrame.url));
  expect(inProcess.length).toBeGreaterThan(0);
  expect((await system.cpuProfile(ref, 5)).nodes.length).toBeGreaterThan(0);
});

test("looks cut no message of the process, and lose none", async () => {
  const { system, ref } = await start({ offHeapCapMb: 512, heapCapMb: 256 });
  const large = new Uint8Array(300_000).fill(7);
  let rounds = 0;
  let isOver = false;
  const echoes = (async () => {
    for (; !isOver; rounds++) {
      const echo = (await ref.call("echo", large)) as Uint8Array;
      expect(Buffer.compare(echo, large)).toBe(0);
    }
  })();
  for (let i = 0; i < 5; i++) {
    await snapshotOf(system, ref);
    await system.cpuProfile(ref, 20);
    const before = rounds;
    await eventually(() => rounds > before);
  }
  isOver = true;
  await echoes;
  expect(ref.stats()).toMatchObject({ incarnation: 1 });
});

test("the memory that a snapshot takes is not the actor's", async () => {
  const { system, ref } = await start({ heapCapMb: 32, offHeapCapMb: 32 });
  await ref.call("hold", 24);
  for (let i = 0; i < 3; i++) await snapshotOf(system, ref);
  expect(await ref.call("hold", 0)).toBe(24);
  expect(ref.stats()).toMatchObject({ incarnation: 1 });
});

test("a process that ends meanwhile is ERR_CALL_EXIT, one that is gone ERR_NOPROC", async () => {
  const { system, ref } = await start({ restart: "temporary" });
  const profile = failureOf(system.cpuProfile(ref, 60_000));
  process.kill(await ref.call("pid"), "SIGKILL");
  expect(await profile).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "crashed", signal: "SIGKILL" } });
  await eventually(() => system.child("native") === undefined);
  await expect(system.cpuProfile(ref, 10)).rejects.toMatchObject({ code: "ERR_NOPROC" });
  await expect(system.heapSnapshot(ref)).rejects.toMatchObject({ code: "ERR_NOPROC" });
});

const countsPipes = process.allowedNodeEnvironmentFlags.has("--allow-net");

test("with permissions, where there is no inspector, a snapshot is taken between two turns, and a profile is refused", async () => {
  // Where a pipe counts as the network.
  if (countsPipes)
    await expect(start({ permissions: {} })).rejects.toMatchObject({
      code: "ERR_INVALID_CHILD_SPEC",
      field: "permissions",
      allowed: expect.stringContaining("net: true"),
    });
  const { system, ref } = await start({ permissions: countsPipes ? { net: true } : {} });
  await ref.call("keepText", "not for everyone");
  expect((await snapshotOf(system, ref)).strings).toContain("not for everyone");
  await expect(system.cpuProfile(ref, 10)).rejects.toThrow("no inspector");
});
