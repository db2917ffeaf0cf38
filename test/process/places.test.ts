import { dynamicSupervisor, router } from "@mini-otp/runtime";
import { faults, startTestSystem } from "@mini-otp/runtime/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import type Nest from "../fixtures/nest.actor.js";
import { eventually } from "../support/eventually.js";
import { ofPart } from "../support/part.js";
import { failureOf, runs } from "../support/processes.js";
import { fixture, testSystem } from "../support/system.js";
import type Native from "./fixtures/native.actor.js";

const actor = new URL("./fixtures/native.actor.js", import.meta.url);
const options = { isolation: "process", callTimeoutMs: 25_000 } as const;

test("a router's members have a process each, and one that dies is replaced while the others go on", async () => {
  const system = await testSystem({ intensity: 10 });
  const members = await system.startChild(
    router<typeof Native>({ id: "all", actor, size: 2, route: "round_robin", ...options }),
  );
  const pidsOf = async () => (await members.callAll("pid")).map((each) => (each as { value: number }).value);
  const [first, second] = await pidsOf();
  expect(new Set([process.pid, first, second]).size).toBe(3);
  process.kill(first as number, "SIGKILL");
  await eventually(() => members.stats().restarts === 1 && members.stats().state === "running");
  const [replaced, same] = await pidsOf();
  expect([same, replaced === first]).toEqual([second, false]);
  expect(members.stats().members.map((each) => each?.process?.pid)).toEqual([replaced, same]);
});

test("a dynamic supervisor's template has it, and its children end with it", async () => {
  const system = await testSystem();
  const all = await system.startChild(dynamicSupervisor({ id: "all", template: { actor, ...options } }));
  const children = await Promise.all(["a", "b"].map((id) => all.startChild<typeof Native>({ id })));
  const pids = await Promise.all(children.map((child) => child.call("pid")));
  expect(new Set([process.pid, ...pids]).size).toBe(3);
  await system.terminateChild("all");
  expect(pids.filter(runs)).toEqual([]);
});

describe.each(ofPart<("process" | "thread")[]>(["process"], ["process"], ["process", "thread"]))(
  "an actor in a %s",
  (isolation) => {
    test("starts children in processes, which end with it", async () => {
      const system = await testSystem({ intensity: 10 });
      const spec = { id: "parent", actor: fixture("nest"), args: {}, ...options, isolation };
      const parent = await system.startChild<typeof Nest>(spec);
      const child = await parent.call("adopt", { id: "a", actor: String(actor), args: undefined, ...options });
      const pid = (await child.call("pid")) as number;
      expect([child.id, pid === process.pid]).toEqual(["root/parent/a", false]);
      expect(await parent.call("attempt", { id: "b", actor: String(actor), isolation: "fork" })).toMatchObject({
        code: "ERR_INVALID_CHILD_SPEC",
        field: "isolation",
      });
      await failureOf(parent.call("crash"));
      expect(await parent.call("incarnation")).toBe(2);
      expect(runs(pid)).toBe(false);
      await expect(child.call("pid")).rejects.toMatchObject({ code: "ERR_NOPROC" });
    });
  },
);

test.each([
  ["crash", "error", {}],
  ["reject", "error", {}],
  ["hang", "unresponsive", { handlerTimeoutMs: 300 }],
  ["stall", "unresponsive", { handlerTimeoutMs: 300 }],
  ["leak", "heap_cap_exceeded", { heapCapMb: 32, offHeapCapMb: 512 }],
  ["leakOffHeap", "off_heap_cap_exceeded", { heapCapMb: 32, offHeapCapMb: 32 }],
  ["exit", "exit_called", {}],
] as const)("faults.%s of the testing kit ends with %s in a process too", async (name, kind, spec) => {
  const system = await startTestSystem({ intensity: 10 });
  onTestFinished(async () => void (await system.stop({ timeoutMs: 1_000 })));
  const faulty = await system.startChild({ id: "faulty", actor: faults[name], ...options, ...spec });
  expect(await faulty.call("ping")).toBe("pong");
  expect(await failureOf(faulty.call("fail"))).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind } });
  expect(await faulty.call("incarnation")).toBe(2);
});
