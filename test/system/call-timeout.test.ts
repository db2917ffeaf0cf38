import { type ActorRef, isActorError, router } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { fixture, testSystem } from "../support/system.js";
import type Asker from "./fixtures/asker.actor.js";

const asker = new URL("./fixtures/asker.actor.js", import.meta.url);

/** How long the call had waited, by its own error. */
async function timeoutOf(call: Promise<unknown>): Promise<number | undefined> {
  const error = await call.catch((e: unknown) => e);
  return isActorError(error, "ERR_CALL_TIMEOUT") ? error.timeoutMs : undefined;
}

// Promise: call-timeout-by-default
test("a call that is given no time has what the callee's spec says, from main and from another actor", async () => {
  const system = await testSystem({ callTimeoutMs: 40 });
  const silent = await system.startChild<typeof Asker>({ id: "silent", actor: asker, callTimeoutMs: 20 });
  const other = await system.startChild<typeof Asker>({ id: "other", actor: asker });
  const asking = await system.startChild<typeof Asker>({ id: "asking", actor: asker, callTimeoutMs: Infinity });
  expect(await timeoutOf(silent.call("never"))).toBe(20);
  expect(await timeoutOf(other.call("never"))).toBe(40);
  expect(await asking.call("ask", silent)).toBe(20);
  expect(await asking.call("ask", other)).toBe(40);
  expect(await asking.call("askSync", silent)).toBe(20);
});

// Promise: call-timeout-by-default
test("what the caller says by with() wins over the spec and the system", async () => {
  const system = await testSystem({ callTimeoutMs: Infinity });
  const silent = await system.startChild<typeof Asker>({ id: "silent", actor: asker, callTimeoutMs: 60_000 });
  const asking = await system.startChild<typeof Asker>({ id: "asking", actor: asker });
  expect(await timeoutOf(silent.with({ timeoutMs: 20 }).call("never"))).toBe(20);
  expect(await asking.call("ask", silent, 30)).toBe(30);
});

// Promise: call-timeout-by-default
test("a router's members and its keys have the time of its spec, and so has a proxy", async () => {
  const system = await testSystem();
  const spec = { id: "silent", actor: asker, size: 2, callTimeoutMs: 20 } as const;
  const silent = await system.startChild(router<typeof Asker>({ ...spec, route: "consistent_hash" }));
  const asking = await system.startChild<typeof Asker>({ id: "asking", actor: asker });
  expect(await timeoutOf(silent.forKey("key").call("never"))).toBe(20);
  expect(await timeoutOf((silent.child("0") as ActorRef<typeof Asker>).call("never"))).toBe(20);
  expect(await timeoutOf(silent.forKey("key").proxy().never() as Promise<unknown>)).toBe(20);
  expect(await asking.call("ask", silent.forKey("key"))).toBe(20);
});

test("the time outlasts a restart", async () => {
  const system = await testSystem();
  const silent = await system.startChild<typeof Asker>({ id: "silent", actor: asker, callTimeoutMs: 20 });
  await expect(silent.with({ timeoutMs: 10_000 }).call("crash")).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
  expect(await silent.with({ timeoutMs: 10_000 }).call("incarnation")).toBe(2);
  expect(await timeoutOf(silent.call("never"))).toBe(20);
});

test.each([-1, NaN, "100", 2 ** 31])(
  "callTimeoutMs=%s is refused, in a spec and in a system's options",
  async (value) => {
    const callTimeoutMs = value as number;
    await expect(testSystem({ callTimeoutMs })).rejects.toMatchObject({
      code: "ERR_INVALID_OPTION",
      field: "callTimeoutMs",
    });
    const system = await testSystem();
    await expect(system.startChild({ id: "a", actor: fixture("echo"), callTimeoutMs })).rejects.toMatchObject({
      code: "ERR_INVALID_CHILD_SPEC",
      field: "callTimeoutMs",
    });
  },
);
