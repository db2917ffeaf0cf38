import { isActorError, isReplyError } from "@mini-otp/runtime";
import { describe, expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import type Echo from "../fixtures/echo.actor.js";
import { actorsIn, KINDS, type Mode } from "../support/modes.js";
import { fixture, testSystem } from "../support/system.js";

async function echoSystem(mode: Mode) {
  const actors = await actorsIn(mode);
  const echo = await actors.start<typeof Echo>({ id: "echo", actor: fixture("echo") });
  return { ...actors, echo };
}

describe.each(KINDS)("%s", (mode) => {
  // Promise: call-ends-reply-timeout
  test("[call] a call resolves to what the handler returns", async () => {
    const { echo } = await echoSystem(mode);
    expect(await echo.call("echo", { a: [1, "two", null] })).toEqual({ a: [1, "two", null] });
  });

  test("[call] a call to an async handler resolves to what its promise resolves to", async () => {
    const { echo } = await echoSystem(mode);
    expect(await echo.call("echoLater", 7)).toBe(7);
  });

  test("a call without arguments to a handler without a reply resolves to undefined", async () => {
    const { echo } = await echoSystem(mode);
    expect(await echo.call("settle", "nobody", 1)).toBeUndefined();
  });

  test("a ReplyError fails only the call, and keeps message, code and data", async () => {
    const { echo } = await echoSystem(mode);
    const error = await echo.call("refuse", "no", "E_NO", { why: "because" }).catch((e: unknown) => e);
    expect(isReplyError(error)).toBe(true);
    expect(error).toMatchObject({ message: "no", code: "E_NO", data: { why: "because" } });
    expect(await echo.call("echo", 1)).toBe(1);
  });

  // Promise: call-ends-reply-timeout
  test("a call whose handler throws rejects with ERR_CALL_EXIT and the error as the exit reason", async () => {
    const { start } = await echoSystem(mode);
    const counter = await start<typeof Counter>({ id: "counter", actor: fixture("counter") });
    const error = await counter.call("crash", "boom").catch((e: unknown) => e);
    expect(isActorError(error, "ERR_CALL_EXIT")).toBe(true);
    expect(error).toMatchObject({ id: counter.id, method: "crash", reason: { kind: "error" } });
    const { reason } = error as { reason: { error: Error } };
    expect(reason.error).toBeInstanceOf(TypeError);
    expect(reason.error.message).toBe("boom");
    expect(reason.error.stack).toContain("counter.actor");
  });

  // Promise: error-call-whose-handler
  test("the error of a call whose handler threw shows where it threw and where the call was made", async () => {
    const { start } = await echoSystem(mode);
    const counter = await start<typeof Counter>({ id: "counter", actor: fixture("counter") });
    async function theCaller(): Promise<unknown> {
      return await counter.call("crash", "boom");
    }
    const { stack } = (await theCaller().catch((e: unknown) => e)) as Error;
    const [callee, caller] = (stack ?? "").split(`-- ${counter.id}, called from --`);
    expect(callee).toMatch(new RegExp(`^ActorError: id=${counter.id} method=crash.*\\n +at .*counter\\.actor`));
    expect(caller).toContain("theCaller");
  });

  // Promise: call-ends-reply-timeout
  // Promise: late-reply-never-answers
  // Promise: timeout-does-stop-callee
  test("[call] a call that takes too long rejects with ERR_CALL_TIMEOUT, and its late reply answers nothing else", async () => {
    const { echo } = await echoSystem(mode);
    const error = await echo
      .with({ timeoutMs: 20 })
      .call("defer", "k")
      .catch((e: unknown) => e);
    expect(isActorError(error, "ERR_CALL_TIMEOUT")).toBe(true);
    expect(error).toMatchObject({ timeoutMs: 20, method: "defer" });
    await echo.call("settle", "k", "late");
    expect(await echo.call("echo", "mine")).toBe("mine");
  });

  // Promise: timeout-0-sends-call
  test("a call with a timeout of 0 is sent, and never has its reply", async () => {
    const { echo, start } = await echoSystem(mode);
    const counter = await start<typeof Counter>({ id: "counter", actor: fixture("counter") });
    for (let i = 0; i < 50; i++) {
      const hurried = counter.with({ timeoutMs: 0 }).call("add", 1);
      await expect(hurried).rejects.toMatchObject({ code: "ERR_CALL_TIMEOUT", timeoutMs: 0 });
    }
    expect(await counter.call("add", 0)).toBe(50);
    expect(await echo.call("echo", 1)).toBe(1);
  });

  test("[send_request_receive_reqid_collection] a deferred reply answers its own call, in whatever order", async () => {
    const { echo } = await echoSystem(mode);
    const first = echo.call("defer", "first");
    const second = echo.call("defer", "second");
    await echo.cast("settle", "second", 2);
    expect(await second).toBe(2);
    await echo.cast("settle", "first", 1);
    expect(await first).toBe(1);
  });

  // Promise: call-whose-reply-was
  test("a call whose reply was deferred rejects when the actor exits", async () => {
    const { system, echo } = await echoSystem(mode);
    const call = echo.call("defer", "k").catch((e: unknown) => e);
    await echo.call("echo", 0);
    system.exit(echo, "kill");
    expect(await call).toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "killed" } });
  });

  test("an aborted call rejects with ERR_CALL_ABORTED and the signal's reason as its cause", async () => {
    const { echo } = await echoSystem(mode);
    const abort = new AbortController();
    const call = echo.with({ signal: abort.signal }).call("never");
    abort.abort(new Error("enough"));
    const error = await call.catch((e: unknown) => e);
    expect(isActorError(error, "ERR_CALL_ABORTED")).toBe(true);
    expect((error as Error).cause).toMatchObject({ message: "enough" });
  });

  test("a call to a method the actor does not have rejects with ERR_UNKNOWN_METHOD and keeps the actor", async () => {
    const { echo } = await echoSystem(mode);
    const anyEcho: { call(method: string): Promise<unknown> } = echo as never;
    const error = await anyEcho.call("ecko").catch((e: unknown) => e);
    expect(isActorError(error, "ERR_UNKNOWN_METHOD")).toBe(true);
    expect((error as Error).message).toContain("echoLater");
    expect(await echo.call("echo", 1)).toBe(1);
  });

  // Promise: actor-calls-itself-gets
  test("[calling_self] an actor that calls itself gets ERR_CALLING_SELF", async () => {
    const { echo } = await echoSystem(mode);
    const error = await echo.call("callMyself").catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "ERR_CALL_EXIT", reason: { error: { code: "ERR_CALLING_SELF" } } });
  });

  test("a reply that cannot be carried fails the call with ERR_NOT_CLONEABLE and its path", async () => {
    const { echo } = await echoSystem(mode);
    expect(await echo.call("unreachable").catch((e: unknown) => e)).toMatchObject({
      code: "ERR_NOT_CLONEABLE",
      path: "reply.f",
    });
  });

  test("an argument that cannot be carried fails the call with ERR_NOT_CLONEABLE and its path", async () => {
    const { echo } = await echoSystem(mode);
    const argument: any = { handlers: { onDone: () => {} } };
    const call = echo.call("echo", argument);
    expect(await call.catch((e: unknown) => e)).toMatchObject({
      code: "ERR_NOT_CLONEABLE",
      path: "args[0].handlers.onDone",
    });
  });

  // Promise: call-ends-reply-timeout
  test("[start] a call to a stopped actor rejects with ERR_NOPROC, a tryCast says closed", async () => {
    const { echo, terminate } = await echoSystem(mode);
    await terminate(echo);
    expect(await echo.call("echo", 1).catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC", id: echo.id });
    expect(await echo.cast("echo", 1).catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC" });
    expect(echo.tryCast("echo", 1)).toBe("closed");
  });

  test("callSync and castSync on main throw ERR_WRONG_THREAD", async () => {
    const { echo } = await echoSystem(mode);
    expect(() => echo.callSync("echo", 1)).toThrow(expect.objectContaining({ code: "ERR_WRONG_THREAD" }));
    expect(() => echo.castSync("echo", 1)).toThrow(expect.objectContaining({ code: "ERR_WRONG_THREAD" }));
  });

  test("a reply larger than the caller's reply ring arrives", async () => {
    const { start } = await echoSystem(mode);
    const echo = await start<typeof Echo>({
      id: "large",
      actor: fixture("echo"),
      mailbox: { capacityBytes: 16 * 1024 * 1024 },
    });
    const bytes = new Uint8Array(3_000_000).fill(7);
    const reply = (await echo.call("echo", bytes)) as Uint8Array;
    expect(Buffer.compare(reply, bytes)).toBe(0);
  });

  // Promise: late-reply-never-answers
  test("[send_request] 10 000 calls at once are all answered, each with its own reply", async () => {
    const { echo } = await echoSystem(mode);
    const replies = await Promise.all(Array.from({ length: 10_000 }, (_, i) => echo.call("echo", i)));
    expect(replies).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  });
});

// Needs deleteChild, see light/refusals.
test("a call to an actor that is deleted and whose memory another actor has got rejects with ERR_NOPROC", async () => {
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  await system.terminateChild("echo");
  await system.deleteChild("echo");
  const heir = await system.startChild<typeof Echo>({ id: "heir", actor: fixture("echo") });
  expect(await echo.call("echo", 1).catch((e: unknown) => e)).toMatchObject({ code: "ERR_NOPROC" });
  expect(await heir.call("echo", 1)).toBe(1);
});
