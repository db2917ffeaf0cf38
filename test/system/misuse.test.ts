import { dynamicSupervisor, handleSignals, startSystem } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Careless from "../fixtures/careless.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";

const actor = fixture("careless");

async function careless(args?: unknown) {
  const system = await testSystem({ intensity: 100 });
  const one = await system.startChild<typeof Careless>({ id: "one", actor, args });
  return { system, one };
}

const NO_REASONS: readonly unknown[] = [
  "shutdown",
  null,
  5,
  new Error("x"),
  {},
  { kind: "bogus" },
  { kind: "heap_cap_exceeded" },
  { kind: "linked", id: "root/x" },
];

describe("an exit reason that is none", () => {
  // Promise: reference-exit-reason-err-invalid-option
  test.each(NO_REASONS)(
    "is a TypeError for an actor that stops with it, and no other actor ends: %j",
    async (reason) => {
      const { system, one } = await careless();
      expect(await one.call("use", "stop", reason)).toContain("is no exit reason");
      expect(await one.call("use", "exit", one, reason)).toContain("is no exit reason");
      expect(system.stats(one)).toMatchObject({ state: "running", incarnation: 1 });
    },
  );

  test.each(NO_REASONS)("is a TypeError for main, and no actor ends: %j", async (reason) => {
    const { system, one } = await careless();
    expect(() => system.exit(one, reason as never)).toThrow(TypeError);
    await expect(system.stop({ reason: reason as never })).rejects.toThrow(TypeError);
    expect(await one.call("echo", 1)).toBe(1);
  });
});

describe("what is no reference", () => {
  // Promise: reference-exit-reason-err-invalid-option
  test.each([undefined, null, "root/one", {}])("is a TypeError in an actor: %j", async (ref) => {
    const { one } = await careless();
    for (const method of ["monitor", "link", "unlink", "exit"]) {
      expect(await one.call("use", method, ref, { kind: "shutdown" })).toContain(`TypeError: ctx.${method}: takes a`);
    }
    expect(await one.call("heard")).toEqual([]);
  });

  test("is a TypeError on main, and so is a listener that is no function", async () => {
    const { system, one } = await careless();
    expect(() => system.monitor("root/one" as never, () => {})).toThrow(TypeError);
    expect(() => system.monitor(one, undefined as never)).toThrow("monitor: listener=undefined, must be a function");
    await expect(system.suspend(system as never)).rejects.toThrow("was given a supervisor");
  });

  // Promise: reference-actor-another-system
  test("is a reference of another system: it leads to no actor there, not to the wrong one", async () => {
    const { system, one } = await careless();
    const other = await startSystem({ logger: false, children: [{ id: "one", actor }] });
    try {
      const stranger = other.child("one");
      expect(() => system.stats(stranger)).toThrow(expect.objectContaining({ code: "ERR_NOPROC" }));
      system.exit(stranger, "kill");
      expect(await stranger.call("echo", 1)).toBe(1);
      expect(system.stats(one).incarnation).toBe(1);
    } finally {
      await other.stop();
    }
  });
});

describe("DOWN and EXIT name whom they are about, with a reference, although it is gone", () => {
  // Promise: down-exit-carry-reference
  test("for an actor that ends for good", async () => {
    const { system, one } = await careless({ trap: true });
    const friend = await system.startChild<typeof Careless>({ id: "friend", actor, restart: "temporary" });
    await one.call("use", "monitor", friend);
    await one.call("use", "link", friend);
    await friend.call("crash").catch(() => {});
    await eventually(async () => (await one.call("heard")).length === 2);
    const heard = await one.call("heard");
    expect(heard.map(({ type, id, ref, reason }) => [type, id, ref.id, reason.kind])).toEqual([
      ["DOWN", "root/friend", "root/friend", "error"],
      ["EXIT", "root/friend", "root/friend", "error"],
    ]);
    expect(await one.call("callBack")).toBe("ERR_NOPROC");
  });

  // Promise: down-exit-carry-reference
  test("for an actor that had gone before", async () => {
    const { system, one } = await careless({ trap: true });
    const friend = await system.startChild<typeof Careless>({ id: "friend", actor, restart: "temporary" });
    await system.terminateChild("friend");
    await one.call("use", "monitor", friend);
    await one.call("use", "link", friend);
    await eventually(async () => (await one.call("heard")).length === 2);
    const heard = await one.call("heard");
    expect(heard.map(({ type, id, ref, reason }) => [type, id, ref.id, reason.kind])).toEqual([
      ["DOWN", "root/friend", "root/friend", "noproc"],
      ["EXIT", "root/friend", "root/friend", "noproc"],
    ]);
    const down = await new Promise<unknown>((resolve) => system.monitor(friend, resolve));
    expect(down).toMatchObject({ type: "DOWN", id: "root/friend", ref: friend, reason: { kind: "noproc" } });
  });

  test("an exit reason keeps its error's properties and references on the way to another actor", async () => {
    const { system, one } = await careless({ trap: true });
    const friend = await system.startChild<typeof Careless>({ id: "friend", actor });
    const error = Object.assign(new RangeError("far"), { code: "E_FAR", who: friend });
    await friend.call("use", "exit", one, { kind: "error", error });
    await eventually(async () => (await one.call("heard")).length === 1);
    const [exit] = await one.call("heard");
    expect(exit).toMatchObject({ type: "EXIT", id: "root/friend", reason: { kind: "error" } });
    expect(exit.reason.error).toMatchObject({ name: "RangeError", code: "E_FAR" });
    expect(exit.reason.error.who.id).toBe("root/friend");
  });
});

test("an actor cannot start a system of its own", async () => {
  const { one } = await careless();
  expect(await one.call("startSystem")).toBe("ERR_WRONG_THREAD");
});

test("timers take numbers: a text is refused, and one of a month fires no sooner", async () => {
  const { one } = await careless();
  for (const bad of ["100", NaN, -1, null, undefined]) {
    expect(await one.call("use", "sendAfter", bad, "echo")).toContain("RangeError: sendAfter: delayMs=");
    expect(await one.call("use", "sendInterval", bad, "echo")).toContain("RangeError: sendInterval: periodMs=");
  }
  expect(await one.call("use", "sendAfter", 30 * 24 * 3600 * 1000, "crash")).toBeUndefined();
  expect(await one.call("use", "sendAfter", Infinity, "crash")).toBeUndefined();
  expect(await one.call("echo", 1)).toBe(1);
});

test("a state that cannot be carried is named from the state on", async () => {
  const { system, one } = await careless();
  await one.call("keepUncloneable");
  await expect(system.getState(one)).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "state.callback" });
});

describe("args", () => {
  // Promise: args-those-first-start
  test("that no message can carry are refused with their path, and nothing is started", async () => {
    const { system } = await careless();
    const spec = { id: "two", actor, args: { on: { done: () => {} } } };
    await expect(system.startChild(spec as never)).rejects.toMatchObject({
      code: "ERR_NOT_CLONEABLE",
      id: "root/two",
      path: "args.on.done",
    });
    expect(system.child("two")).toBeUndefined();
    const failed = startSystem({ logger: false, children: [spec as never] });
    await expect(failed).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE", path: "args.on.done" });
  });

  // Promise: args-those-first-start
  test("are those of the start: what is changed afterwards does not show in a restart", async () => {
    const { system, one } = await careless();
    const args = { list: [1], bytes: new Uint8Array([1, 2]), peer: one };
    const two = await system.startChild<typeof Careless>({ id: "two", actor, args });
    args.list.push(2);
    args.bytes[0] = 9;
    await two.call("crash").catch(() => {});
    const again = (await two.call("args")) as typeof args;
    expect([again.list, [...again.bytes], again.peer.id]).toEqual([[1], [1, 2], "root/one"]);
    expect(await again.peer.call("echo", 1)).toBe(1);
  });
});

test.each<[string, unknown, string]>([
  ["an option that does not exist", { strateggy: "one_for_all" }, 'did you mean "strategy"?'],
  ["one of a child's options", { restart: "transient" }, "no option restart; there are: name, strategy"],
  ["a name that is no text", { name: 5 }, "startSystem: name=5, must be a text"],
  ["a logger that cannot log", { logger: true }, "logger=true, must be false, or a logger"],
  ["no object", null, "options=null, must be an object with name"],
])("startSystem refuses %s, and says what is allowed", async (_what, options, words) => {
  await expect(startSystem(options as never)).rejects.toMatchObject({ code: "ERR_INVALID_OPTION" });
  await expect(startSystem(options as never)).rejects.toThrow(words);
});

test("options of stop, trace and handleSignals that do not exist are refused, and nothing is stopped", async () => {
  const { system, one } = await careless();
  await expect(system.stop({ timeout: 5 } as never)).rejects.toThrow("stop: no option timeout; there are: timeoutMs");
  expect(() => system.trace(one, { method: "echo" } as never)).toThrow("trace: no option method");
  expect(() => handleSignals(system, { timeout: 5 } as never)).toThrow("handleSignals: no option timeout");
  expect(await one.call("echo", 1)).toBe(1);
});

test("a logger with fewer methods than pino's gets what it has a method for, the worst under the next below", async () => {
  const lines: unknown[][] = [];
  const logger = { warn: () => {}, error: (...args: unknown[]) => void lines.push(args) };
  const system = await testSystem({ logger: logger as never, intensity: 0 });
  system.logger.fatal("the end");
  system.logger.trace("nothing");
  expect(lines).toEqual([["the end"]]);
});

test("a dynamic supervisor refuses what is no spec, as any supervisor does", async () => {
  const { system } = await careless();
  const dynamic = await system.startChild(dynamicSupervisor({ id: "dynamic", template: { actor } }));
  await expect(dynamic.startChild(undefined as never)).rejects.toMatchObject({ code: "ERR_INVALID_CHILD_SPEC" });
  expect((await dynamic.startChild({})).id).toBe("root/dynamic/child-1");
});
