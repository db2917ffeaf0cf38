import type { ActorSpec } from "@mini-otp/runtime";
import { type FaultArgs, faults, startTestSystem } from "@mini-otp/runtime/testing";
import { expect, onTestFinished, test, vi } from "vitest";

// Programs start, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

const CASES: readonly [keyof typeof faults, string, Partial<ActorSpec>][] = [
  ["crash", "error", {}],
  ["reject", "error", {}],
  ["hang", "unresponsive", { handlerTimeoutMs: 200 }],
  ["stall", "unresponsive", { handlerTimeoutMs: 200 }],
  ["leak", "heap_cap_exceeded", { heapCapMb: 32 }],
  ["leakOffHeap", "off_heap_cap_exceeded", { offHeapCapMb: 32 }],
  ["exit", "exit_called", {}],
];

async function testSystem() {
  const system = await startTestSystem();
  onTestFinished(async () => void (await system.stop({ timeoutMs: 1000 })));
  return system;
}

test.each(CASES)("faults.%s is well until it is told to fail, and ends with %s", async (name, kind, spec) => {
  const system = await testSystem();
  const faulty = (await system.startChild({ id: "faulty", actor: faults[name] })).with({ timeoutMs: 30_000 });
  expect(await faulty.call("ping")).toBe("pong");
  await system.terminateChild("faulty");
  await system.deleteChild("faulty");
  const capped = await system.startChild({ ...spec, id: "faulty", actor: faults[name] });
  const failed = await capped
    .with({ timeoutMs: 30_000 })
    .call("fail")
    .catch((e: unknown) => e);
  expect(failed).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind } });
  expect(await (capped as typeof faulty).call("incarnation")).toBe(2);
});

test("a fault in the first incarnations only is over with the next", async () => {
  const system = await testSystem();
  const args: FaultArgs = { incarnations: 1 };
  const faulty = await system.startChild({ id: "faulty", actor: faults.crash, args });
  expect(await faulty.call("fail").catch((e: { code: string }) => e.code)).toBe("ERR_CALL_EXIT");
  expect(await faulty.call("fail")).toBe("well");
});

test("a fault in init fails the start", async () => {
  const system = await testSystem();
  const start = system.startChild({ id: "faulty", actor: faults.crash, args: { failIn: "init" } });
  expect(await start.catch((e: { code: string }) => e.code)).toBe("ERR_INIT_FAILED");
});
