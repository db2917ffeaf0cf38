import { expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import type Member from "./fixtures/member.actor.js";
import { codeOf, lightMembers } from "./members.js";

// That suspend, resume and replaceState do for it what they do for any actor is tested by actor/server-life.
const members = (place: "hash" | "round_robin" = "round_robin") => lightMembers({ threads: { count: 1, place } });

test("a suspended light actor's messages wait, also those of its own thread, and others' flow", async () => {
  const { system, start } = await members();
  const [a, b] = [await start("a"), await start("b")];
  await system.suspend(a);
  expect(a.stats().state).toBe("suspended");
  await a.cast("note", "main");
  await b.call("castTo", a, 2);
  await a.send("sent");
  expect(await b.call("echo", "flows")).toBe("flows");
  expect(a.stats().mailbox.length).toBe(4);
  expect(await system.getState(a)).toMatchObject({ notes: [] });
  await system.resume(a);
  expect(a.stats().state).toBe("running");
  expect(await a.call("notes")).toEqual(["main", 0, 1, "sent"]);
});

test("getState is a copy of the state, replaceState puts a copy in its place, while a handler awaits too", async () => {
  const { system, start } = await members();
  const [a, b] = [await start("a"), await start("b")];
  const held = a.call("hold", "a");
  const state = await system.getState(a);
  state.notes.push("changed here");
  expect(await system.getState(a)).toMatchObject({ notes: [] });
  await system.replaceState(a, { ...state, notes: ["replaced"] });
  await b.call("release", "a");
  await held;
  expect(await a.call("notes")).toEqual(["replaced"]);
  expect(await system.replaceState(a, { f: () => {} }).catch(codeOf)).toBe("ERR_NOT_CLONEABLE");
});

test("a suspended light actor ends when it is told to, and handles what it has accepted when it drains", async () => {
  const { system, supervisor, start } = await members();
  const [a, b] = [await start("a"), await start("b")];
  await Promise.all([system.suspend(a), system.suspend(b)]);
  const call = a.call("echo", "accepted");
  await supervisor.terminateChild("a");
  expect(await call).toBe("accepted");
  const down = new Promise((resolve) => system.monitor(b, ({ reason }) => resolve(reason)));
  system.exit(b, { kind: "shutdown" });
  expect(await down).toEqual({ kind: "shutdown" });
});

test("what is asked of a light actor that has ended is ERR_NOPROC, and ERR_CALL_EXIT with its id when its thread ends", async () => {
  const { system, supervisor, start } = await members();
  const a = await start("a");
  const b = await supervisor.startChild<typeof Member>({ id: "b", handlerTimeoutMs: 300 });
  await a.call("stop");
  await new Promise((resolve) => system.monitor(a, resolve));
  for (const what of ["suspend", "resume", "getState"] as const) {
    expect(await system[what](a as never).catch(codeOf)).toBe("ERR_NOPROC");
  }
  expect(await system.replaceState(a, {}).catch(codeOf)).toBe("ERR_NOPROC");
  await b.cast("spin");
  await eventually(() => b.stats().mailbox.handled === 1);
  const asked = await system.getState(b).catch((e: unknown) => e);
  expect(asked).toMatchObject({ code: "ERR_CALL_EXIT", id: b.id, reason: { kind: "unresponsive", method: "spin" } });
});

test('with place "hash" a reference by id is asked as the life that has it', async () => {
  const { system, supervisor, start } = await members("hash");
  await start("a");
  const byId = supervisor.refOf("a");
  await system.suspend(byId as never);
  expect(supervisor.child("a")?.stats().state).toBe("suspended");
  await system.resume(byId as never);
  expect(await system.getState(byId as never)).toMatchObject({ notes: [] });
});
