import { type ActorRef, comlinkActor, dynamicSupervisor, type Logger, router } from "@mini-otp/runtime";
import { runInline } from "@mini-otp/runtime/testing";
import { defineActor } from "@mini-otp/worker-host";
import { describe, expect, onTestFinished, test } from "vitest";
import Fragile from "../fixtures/fragile.actor.js";
import { eventually } from "../support/eventually.js";
import { recordingLogger } from "../support/recording-logger.js";
import { fixture, testSystem } from "../support/system.js";
import type Lenient from "./fixtures/lenient.actor.js";

const actor = fixture("fragile");
const lenient = new URL("./fixtures/lenient.actor.js", import.meta.url);

type Spec = { args?: { fails?: "init" | "terminate" }; throws?: "crash" | "reply" };

/** The two places that an actor can be in. */
const places = {
  async threaded(spec: Spec, logger: Logger) {
    const system = await testSystem({ logger });
    return system.startChild<typeof Fragile>({ id: "fragile", actor, ...spec });
  },
  async inline({ args, ...options }: Spec, logger: Logger): Promise<ActorRef<typeof Fragile>> {
    const ref = await runInline(Fragile, args, { ...options, logger });
    onTestFinished(async () => void (await ref.stop()));
    return ref;
  },
};

async function start(place: keyof typeof places, spec: Spec = { throws: "reply" }) {
  const { logger, lines } = recordingLogger();
  const ref = await places[place](spec, logger);
  return { ref, failures: () => lines.filter(({ message }) => message.startsWith("a handler threw")) };
}

const errorOf = (call: Promise<unknown>): Promise<any> =>
  call.then(
    (value) => expect.fail(`resolved to ${value}`),
    (error: unknown) => error,
  );

describe.each(["threaded", "inline"] as const)('an actor with throws: "reply", %s', (place) => {
  // Promise: throws-reply-fails-call
  test("fails the call of a handler that throws with what it threw, and lives", async () => {
    const { ref, failures } = await start(place);
    const error = await errorOf(ref.call("crash", "no luck"));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe("no luck");
    expect(error.stack).toContain("fragile.actor");
    expect(await errorOf(ref.call("crashLater", "no luck"))).toMatchObject({ code: "E_LATER", cause: "why" });
    expect(await errorOf(ref.call("refuse", "no"))).toMatchObject({ name: "ReplyError", code: "E_NO" });
    expect(await errorOf(ref.call("throwValue", { kind: "plain" }))).toEqual({ kind: "plain" });
    expect(await errorOf(ref.call("throwValue", undefined))).toBeUndefined();
    expect(String(await errorOf(ref.call("throwFunction")))).toContain("thrown: a function");
    expect([await ref.call("handled"), await ref.call("incarnation")]).toEqual([1, 1]);
    expect(failures()).toEqual([]);
  });

  // Promise: throws-reply-logs-cast
  test("logs once what a cast, a message, a timer or a continuation threw, with the method, and lives", async () => {
    const { ref, failures } = await start(place);
    await ref.cast("crash", "cast");
    await ref.cast("crashLater", "later");
    await ref.send("message");
    await ref.call("crashNext", "continuation");
    await ref.call("crashSoon", "timer");
    await eventually(() => failures().length === 5);
    expect(failures().map(({ level, fields: { method, err } }) => [level, method, err.message])).toEqual([
      ["error", "crash", "cast"],
      ["error", "crashLater", "later"],
      ["error", "info", "message"],
      ["error", "crash", "continuation"],
      ["error", "crash", "timer"],
    ]);
    expect([await ref.call("handled"), await ref.call("incarnation")]).toEqual([3, 1]);
  });

  test("fails a call whose reply it had deferred, and logs what it threw after the reply", async () => {
    const { ref, failures } = await start(place);
    expect(await errorOf(ref.call("deferAndCrash", "too late", false))).toMatchObject({ message: "too late" });
    expect(failures()).toEqual([]);
    expect(await ref.call("deferAndCrash", "after the reply", true)).toBe("answered");
    await eventually(() => failures().length === 1);
    expect(failures()[0].fields).toMatchObject({ method: "deferAndCrash", err: { message: "after the reply" } });
    expect(await ref.call("incarnation")).toBe(1);
  });

  test("stops for the reason that it gave before it threw", async () => {
    const { ref } = await start(place);
    expect(await errorOf(ref.call("stopAndCrash"))).toMatchObject({ message: "while it stops" });
    await eventually(async () => (await ref.call("incarnation")) === 2);
  });

  test("fails to start when init throws, as ever", async () => {
    await expect(start(place, { throws: "reply", args: { fails: "init" } })).rejects.toMatchObject({
      code: "ERR_INIT_FAILED",
    });
  });

  test("is the default of no actor: a handler that throws crashes it", async () => {
    const { ref } = await start(place, {});
    expect(await errorOf(ref.call("crash", "no luck"))).toMatchObject({ code: "ERR_CALL_EXIT" });
    expect(await ref.call("incarnation")).toBe(2);
  });
});

test('with throws: "reply" a stray rejection and an uncaught exception crash the actor all the same', async () => {
  const system = await testSystem();
  const ref = await system.startChild<typeof Fragile>({ id: "fragile", actor, throws: "reply" });
  await ref.cast("rejectAside");
  await eventually(() => system.stats(ref).restarts === 1);
  await ref.cast("throwAside");
  await eventually(() => system.stats(ref).restarts === 2);
});

test('with throws: "reply" an error in terminate is the exit reason, as ever', async () => {
  const system = await testSystem();
  const args = { fails: "terminate" } as const;
  const ref = await system.startChild<typeof Fragile>({ id: "fragile", actor, throws: "reply", args });
  const reasons: string[] = [];
  system.on("actor_exited", ({ reason }) => reasons.push(reason.kind));
  expect(await errorOf(ref.call("crash", "no luck"))).toBeInstanceOf(RangeError);
  const { children } = await system.stop();
  expect(children).toMatchObject([{ id: "root/fragile", reason: { kind: "error" } }]);
});

test("what a handler threw counts among the calls that the actor answered with a failure", async () => {
  const system = await testSystem();
  const ref = await system.startChild<typeof Fragile>({ id: "fragile", actor, throws: "reply" });
  await errorOf(ref.call("crash", "no luck"));
  await errorOf(ref.call("crashLater", "no luck"));
  await ref.call("handled");
  // What it throws may be the error of a call that it made itself.
  const other = await system.startChild<typeof Fragile>({ id: "other", actor });
  expect(await errorOf(ref.call("askNever", other, 20))).toMatchObject({ code: "ERR_CALL_TIMEOUT", id: "root/other" });
  const counts = Object.fromEntries(system.meters.actors().map(({ id, calls }) => [id, calls]));
  expect(counts["root/fragile"]).toMatchObject({ failure: 3, exit: 0, timeout: 0, error: 0, reply: 1 });
  expect(counts["root/other"]).toMatchObject({ failure: 0, timeout: 1 });
});

test("defineActor's throws is the default of the module, and the spec wins", async () => {
  const system = await testSystem();
  const byModule = await system.startChild<typeof Lenient>({ id: "module", actor: lenient });
  const bySpec = await system.startChild<typeof Lenient>({ id: "spec", actor: lenient, throws: "crash" });
  expect(await errorOf(byModule.call("crash", "no luck"))).toBeInstanceOf(RangeError);
  expect(await byModule.call("incarnation")).toBe(1);
  expect(await errorOf(bySpec.call("crash", "no luck"))).toMatchObject({ code: "ERR_CALL_EXIT" });
  const Own = defineActor({ throws: "reply", handlers: { crash: () => Promise.reject(new RangeError("no luck")) } });
  const inline = await runInline(Own);
  expect(await errorOf(inline.call("crash"))).toBeInstanceOf(RangeError);
  expect(inline.incarnation).toBe(1);
  await inline.stop();
});

test("an upgrade brings the new module's default; a spec's throws stays", async () => {
  const system = await testSystem();
  const open = await system.startChild<typeof Lenient>({ id: "open", actor });
  const fixed = await system.startChild<typeof Lenient>({ id: "fixed", actor, throws: "crash" });
  await system.upgrade(open, lenient);
  await system.upgrade(fixed, lenient);
  expect(await errorOf(open.call("crash", "no luck"))).toBeInstanceOf(RangeError);
  expect(await errorOf(fixed.call("crash", "no luck"))).toMatchObject({ code: "ERR_CALL_EXIT" });
  expect([await open.call("incarnation"), await fixed.call("incarnation")]).toEqual([1, 2]);
});

test("a router's members and the children of a template have it", async () => {
  const system = await testSystem();
  const spec = { id: "router", actor, size: 2, route: "round_robin", throws: "reply" } as const;
  const members = await system.startChild(router<typeof Fragile>(spec));
  for (let call = 0; call < 4; call++)
    expect(await errorOf(members.call("crash", "no luck"))).toBeInstanceOf(RangeError);
  const dynamic = await system.startChild(dynamicSupervisor({ id: "all", template: { actor, throws: "reply" } }));
  const child = await dynamic.startChild<typeof Fragile>({ id: "a" });
  expect(await errorOf(child.call("crash", "no luck"))).toBeInstanceOf(RangeError);
  expect([await members.call("incarnation"), await child.call("incarnation")]).toEqual([1, 1]);
});

test("a comlink actor takes it, and fails calls as it does without", async () => {
  const system = await testSystem();
  const exposed = new URL("../fixtures/exposed-counter.js", import.meta.url);
  const counter = await system.startChild({ id: "counter", actor: comlinkActor<any>(exposed), throws: "reply" });
  expect(await errorOf(counter.call("fail"))).toBeInstanceOf(Error);
  expect(system.stats(counter).restarts).toBe(0);
});

test.each(["exit", true, null])("throws: %j is refused, in a spec, in defineActor and in runInline", async (value) => {
  const throws = value as "reply";
  const system = await testSystem();
  await expect(system.startChild({ id: "a", actor, throws })).rejects.toMatchObject({
    code: "ERR_INVALID_CHILD_SPEC",
    field: "throws",
    allowed: '"crash", "reply"',
  });
  const invalid = expect.objectContaining({ code: "ERR_INVALID_OPTION", field: "throws" });
  expect(() => defineActor({ handlers: {}, throws })).toThrow(invalid);
  await expect(runInline(Fragile, undefined, { throws })).rejects.toEqual(invalid);
});

test("a trace says of what was thrown that it failed its message, and goes on", async () => {
  const system = await testSystem();
  const ref = await system.startChild<typeof Fragile>({ id: "fragile", actor, throws: "reply" });
  const trace = system.trace(ref);
  await errorOf(ref.call("crash", "no luck"));
  await ref.cast("crashLater", "no luck");
  await ref.call("handled");
  const events: unknown[] = [];
  for await (const { method, kind, outcome } of trace) {
    events.push([method, kind, outcome]);
    if (events.length === 3) break;
  }
  expect(events).toEqual([
    ["crash", "call", "failed"],
    ["crashLater", "cast", "failed"],
    ["handled", "call", "ok"],
  ]);
});
