import { dynamicSupervisor, type PartitionedSupervisorRef } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { testSystem } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";

const actor = new URL("./fixtures/member.actor.js", import.meta.url);
const codeOf = (error: { code?: string }): string | undefined => error.code;

async function asked() {
  const system = await testSystem({
    children: [dynamicSupervisor({ id: "members", threads: {}, template: { actor } })],
  });
  const supervisor = system.child("members") as unknown as PartitionedSupervisorRef<any>;
  const member = await supervisor.startChild<typeof Member>({ id: "a" });
  return { system, supervisor, member };
}
type Asked = Awaited<ReturnType<typeof asked>>;

const spec =
  (more: object) =>
  ({ supervisor }: Asked) =>
    supervisor.startChild({ id: "b", ...more } as never);
const inMember =
  (what: "callSync" | "castSync" | "whereis") =>
  async ({ member, supervisor }: Asked) => {
    const other = await supervisor.startChild({ id: "other" });
    const error = await member.call("blocks", what, other).catch((e: { reason: { error: unknown } }) => e.reason.error);
    throw error;
  };

/**
 * Why some tests of the ordinary suites (messaging, mailbox, signals, actor, loop, introspection, supervision) are for
 * actors with a thread of their own only: what they ask, what a light actor answers to it, and why.
 */
const NOT_LIGHT: readonly (readonly [what: string, code: string, why: string, ask: (all: Asked) => unknown])[] = [
  ["maxDeliveries", "ERR_INVALID_CHILD_SPEC", "its handler may have changed the message", spec({ maxDeliveries: 2 })],
  ["backoff", "ERR_INVALID_CHILD_SPEC", "it is started again in its thread at once", spec({ backoff: { minMs: 1 } })],
  ["name", "ERR_INVALID_CHILD_SPEC", "names are for few; an id is found by child(id)", spec({ name: "alice" })],
  ["heapCapMb", "ERR_INVALID_CHILD_SPEC", "the heap is the thread's", spec({ heapCapMb: 64 })],
  ["env", "ERR_INVALID_CHILD_SPEC", "the environment is the thread's", spec({ env: { A: "1" } })],
  ["restartChild", "ERR_RUNNING", "what has ended is forgotten", ({ supervisor }) => supervisor.restartChild("a")],
  ["deleteChild", "ERR_RUNNING", "what has ended is forgotten", ({ supervisor }) => supervisor.deleteChild("a")],
  ["callSync", "ERR_WRONG_THREAD", "it would block all others of the thread", inMember("callSync")],
  ["castSync", "ERR_WRONG_THREAD", "it would block all others of the thread", inMember("castSync")],
  ["ctx.whereis", "ERR_WRONG_THREAD", "it would block all others; lookup is there", inMember("whereis")],
  ["upgrade", "ERR_NOT_AN_ACTOR", "the module is all members'", ({ system, member }) => system.upgrade(member, actor)],
  ["heapSnapshot", "ERR_NOT_AN_ACTOR", "the heap is the thread's", ({ system, member }) => system.heapSnapshot(member)],
  ["cpuProfile", "ERR_NOT_AN_ACTOR", "it is of a thread", ({ system, member }) => system.cpuProfile(member, 10)],
];

const partitionOf = ({ supervisor }: Asked) => supervisor.partitions()[0].ref;

/** What is asked of a partition's own reference, which is there for its numbers, its heap, its time and its end. */
const NOT_OF_A_PARTITION: readonly (readonly [what: string, code: string, ask: (all: Asked) => unknown])[] = [
  ["upgrade", "ERR_NOT_AN_ACTOR", (all) => all.system.upgrade(partitionOf(all), actor)],
  ["suspend", "ERR_NOT_AN_ACTOR", (all) => all.system.suspend(partitionOf(all))],
  ["resume", "ERR_NOT_AN_ACTOR", (all) => all.system.resume(partitionOf(all))],
  ["getState", "ERR_NOT_AN_ACTOR", (all) => all.system.getState(partitionOf(all))],
  ["replaceState", "ERR_NOT_AN_ACTOR", (all) => all.system.replaceState(partitionOf(all), {})],
  ["trace", "ERR_NOT_AN_ACTOR", (all) => all.system.trace(partitionOf(all))],
  ["call", "ERR_UNKNOWN_METHOD", (all) => partitionOf(all).call("members.stop", "a", 0, -1)],
  ["call", "ERR_UNKNOWN_METHOD", (all) => partitionOf(all).call("members.stop")],
  ["call", "ERR_UNKNOWN_METHOD", (all) => partitionOf(all).call("members.start", 5, 6)],
  ["stream", "ERR_UNKNOWN_METHOD", (all) => partitionOf(all).stream("members.start", 5, 6).next()],
];

test.each(NOT_OF_A_PARTITION)("%s of a partition is %s", async (_what, code, ask) => {
  const all = await asked();
  await all.member.call("note", "kept");
  expect(await (async () => ask(all))().catch(codeOf)).toBe(code);
  expect(await all.member.call("notes")).toEqual(["kept"]);
  expect(await (await all.supervisor.startChild({ id: "after" })).call("echo", 1)).toBe(1);
});

test("casts and messages to a partition are dead letters, and its light actors live on", async () => {
  const all = await asked();
  const lost: string[] = [];
  all.system.on("dead_letter", ({ method }) => void lost.push(method));
  const partition = partitionOf(all);
  await all.member.call("note", "kept");
  await partition.cast("members.start", 5, 6);
  await partition.cast("members.upgrade", "", [], 1);
  await partition.send({ x: 1 });
  await partition.send({ type: "members.signal", cell: 1, generation: 1, reason: "kill", source: { id: "x" } });
  await partition.send({ type: "DOWN", monitor: 1 });
  // Its turn comes after theirs.
  expect(await partition.call("nothing").catch(codeOf)).toBe("ERR_UNKNOWN_METHOD");
  expect(await all.member.call("notes")).toEqual(["kept"]);
  await eventually(() => lost.length === 5);
  expect(lost).toEqual(["members.start", "members.upgrade", "info", "info", "info"]);
});

test("a refusal to upgrade names what does", async () => {
  const { system, supervisor, member } = await asked();
  for (const ref of [member, supervisor.partitions()[0].ref]) {
    await expect(system.upgrade(ref, actor)).rejects.toThrow("upgrade(supervisor, module)");
  }
});

test.each(NOT_LIGHT)("%s of a light actor is %s: %s", async (_what, code, _why, ask) => {
  const all = await asked();
  expect(await (async () => ask(all))().catch(codeOf)).toBe(code);
  // The refusal has ended nothing that can go on: only what a handler throws ends its member.
  expect((await all.supervisor.startChild({ id: "after" })).tryCast("note", 1)).toBe("ok");
});
