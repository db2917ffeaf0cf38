import { inspect } from "node:util";
import { isReplyError as isMainReplyError, ActorError as MainActorError } from "@mini-otp/runtime";
import { ActorError, isReplyError, ReplyError } from "@mini-otp/worker-host";
import { expect, test } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import type Judge from "../fixtures/error-judge.actor.js";
import { fixture, testSystem } from "../support/system.js";

// Promise: instanceof-actorerror-instanceof-replyerror
test("what a call rejects with is an instance of the class that an actor's module imports", async () => {
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const judge = await system.startChild<typeof Judge>({ id: "judge", actor: fixture("error-judge") });
  expect(await judge.call("judge", echo, "noSuchMethod")).toEqual({
    actorError: true,
    replyError: false,
    ownError: false,
  });
  expect(await judge.call("judge", echo, "refuse")).toEqual({ actorError: false, replyError: true, ownError: false });
});

// Promise: instanceof-actorerror-instanceof-replyerror
test("on main an error is an instance of either package's ActorError, and of no class that extends it", async () => {
  class OwnError extends ActorError {}
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const error = await echo.call("noSuchMethod" as "echo", 1).catch((e: unknown) => e);
  expect([MainActorError, ActorError, ReplyError, OwnError].map((type) => error instanceof type)).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(new OwnError("ERR_NOPROC", "own") instanceof OwnError).toBe(true);
});

// Promise: error-class-extends-replyerror
test("a ReplyError of a class with a name of its own is one where it arrives, with its name, code and data", async () => {
  const system = await testSystem();
  const judge = await system.startChild<typeof Judge>({ id: "judge", actor: fixture("error-judge") });
  const error = await judge.call("refuseWithOwn").catch((e: unknown) => e);
  expect([isReplyError(error), isMainReplyError(error), error instanceof ReplyError, error instanceof Error]).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(error).toMatchObject({ name: "QuotaError", message: "too much", code: "QUOTA" });
  expect((error as { data: { seal: Buffer } }).data.seal).toEqual(Buffer.from("seal"));
  const other = await system.startChild<typeof Judge>({ id: "other", actor: fixture("error-judge") });
  expect(await other.call("judge", judge, "refuseWithOwn")).toMatchObject({ replyError: true, actorError: false });
  // By name alone nothing is one.
  const named = Object.assign(new Error("no"), { name: "ReplyError" });
  expect(isReplyError(await judge.call("echo", named))).toBe(false);
});

test("the fact `name` of an error does not take the place of its class where the error is shown", async () => {
  const system = await testSystem();
  await system.startChild({ id: "echo", name: "taken", actor: fixture("echo") });
  const second = { id: "second", name: "taken", actor: fixture("echo") };
  const error: any = await system.startChild(second).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "ERR_NAME_TAKEN", name: "taken", holder: "root/echo" });
  for (const shown of [String(error), error.stack, inspect(error)])
    expect(shown).toMatch(/^ActorError: root\/second: /);
});

test("a reply that cannot be sent names its handler", async () => {
  const system = await testSystem();
  const judge = await system.startChild({ id: "judge", actor: fixture("error-judge") });
  const error: any = await judge.call("answerWithFunction").catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "ERR_NOT_CLONEABLE", id: "root/judge", method: "answerWithFunction" });
  expect(error.message).toMatch(/^id=root\/judge method=answerWithFunction: reply is a function/);
});
