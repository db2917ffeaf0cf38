import type { ActorSpec, SystemOptions } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { startProgram } from "../support/program.js";
import { testSystem } from "../support/system.js";
import type Native from "./fixtures/native.actor.js";

const actor = new URL("./fixtures/native.actor.js", import.meta.url);

async function start(options: Partial<ActorSpec<typeof Native>> = {}, ofSystem: SystemOptions = {}) {
  const system = await testSystem({ intensity: 10, ...ofSystem });
  const killed: unknown[] = [];
  system.on("guard_killed", ({ id, reason }) => killed.push({ id, reason }));
  const ref = await system.startChild<typeof Native>({
    id: "native",
    actor,
    isolation: "process",
    callTimeoutMs: 25_000,
    ...options,
  });
  return { system, ref, killed };
}

test.each([
  ["leakMap", { kind: "heap_cap_exceeded", heapCapMb: 32 }, false],
  ["leakBuffers", { kind: "off_heap_cap_exceeded", offHeapCapMb: 32 }, true],
  // What a thread's guard cannot see: docs/isolation.md.
  ["takeNative", { kind: "off_heap_cap_exceeded", offHeapCapMb: 32 }, true],
  // Promise: actor-process-memory
])(
  "an actor in a process that takes memory without end, by %s, ends with %o and is restarted",
  async (method, reason, byWatcher) => {
    const { ref, killed } = await start({ heapCapMb: 32, offHeapCapMb: 32 });
    await expect((ref.call as any)(method, 4_000)).rejects.toMatchObject({ code: "ERR_CALL_EXIT", reason });
    if (byWatcher) {
      expect(killed).toMatchObject([{ id: "root/native", reason }]);
      expect((killed as { reason: { usedMb: number } }[])[0]?.reason.usedMb).toBeGreaterThan(64);
    }
    expect(await ref.call("add", 1)).toBe(1);
    expect(ref.stats()).toMatchObject({ incarnation: 2, restarts: 1 });
  },
);

test("garbage is none of it: a process that makes much more than its cap of it goes on", async () => {
  const { ref } = await start({ heapCapMb: 32, offHeapCapMb: 32 });
  // Four times as much as it may keep.
  expect(await ref.call("churn", 64)).toBe(64 * 4 * 2 ** 20);
  expect(ref.stats()).toMatchObject({ incarnation: 1, restarts: 0 });
});

test("its log lines are the system's, as is its console with console log", async () => {
  const lines: { level: number; args: unknown[] }[] = [];
  const at =
    (level: number) =>
    (...args: unknown[]) =>
      void lines.push({ level, args });
  const logger = { trace: at(10), debug: at(20), info: at(30), warn: at(40), error: at(50), fatal: at(60) };
  const { ref } = await start({ console: "log" }, { logger: logger as never });
  await ref.call("log", "hello");
  await ref.call("print", "by console");
  const its = () =>
    lines
      .map(({ level, args }) => ({ level, text: JSON.stringify(args) }))
      .filter(({ text }) => !text.includes('"event"') && !text.includes("to stderr"));
  await eventually(() => its().length >= 2);
  const said = its();
  expect(said[0]).toMatchObject({ level: 40, text: expect.stringContaining('"text":"hello"') });
  expect(said[0]?.text).toContain('"part":"native"');
  expect(said[0]?.text).toContain('"actor":"root/native"');
  expect(said[1]).toMatchObject({ level: 30, text: expect.stringContaining("by console") });
});

test("what it prints is main's output", async () => {
  const program = startProgram(new URL("./programs/prints.js", import.meta.url).pathname);
  const { output, errors, code } = await program.ended;
  expect([output, errors.includes("to stderr"), code]).toEqual(["before\nfrom the process\n", true, 0]);
});
