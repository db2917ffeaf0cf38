import { inspect } from "node:util";
import { ActorError, type ExitReason, withoutRuntimeFrames } from "@mini-otp/worker-host/protocol/errors";
import { WORKER_MAIN } from "@mini-otp/worker-host/protocol/port";
import { expect, test } from "vitest";
import { readLogVariables } from "#runtime/reporting/log-variables.js";
import { LoggableReasons } from "#runtime/reporting/loggable-reason.js";

const HOST = new URL("../", WORKER_MAIN);
const OWN = "    at work (file:///app/own.actor.js:3:9)";
const RUNTIME = [
  `    at #run (${new URL("thread/start-thread.cjs", HOST).href}:28:12)`,
  `    at #turn (${new URL("thread/start-thread.cjs", HOST).pathname}:28:12)`,
  `    at async ${new URL("../src/loop/actor-loop.ts", HOST).href}:9:1`,
  "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
  "    at async node:internal/modules/x:1:1",
];

function failure(message: string, frames = [OWN, ...RUNTIME], cause?: unknown): Error {
  const error = new Error(message, { cause });
  error.stack = [`Error: ${message}`, ...frames].join("\n");
  return error;
}
const crash = (error: Error): ExitReason => ({ kind: "error", error });
const errOf = (logged: object): any => (logged as { err: object }).err;

// Promise: crash-stack-in-one
test("the frames of the runtime and of Node's inside are hidden, and all others stay", () => {
  const own = ["    at Array.map (<anonymous>)", "    at node:fs:1:1", "    at x (file:///app/dist/host/a.js:1:1)"];
  const stack = ["Error: boom", OWN, ...RUNTIME, "    -- root/b, called from --", ...own].join("\n");
  const shown = ["Error: boom", OWN, "    -- root/b, called from --", ...own].join("\n");
  expect(withoutRuntimeFrames(stack)).toBe(shown);
});

test("a stack that has only frames of the runtime stays whole", () => {
  const stack = ["Error: boom", ...RUNTIME].join("\n");
  expect(withoutRuntimeFrames(stack)).toBe(stack);
});

// Promise: crash-stack-in-one
test("a crash's stack is in the first record that names its error, and in no later one", () => {
  const reasons = new LoggableReasons();
  const error = failure("boom");
  expect(errOf(reasons.of(crash(error), "error"))).toEqual({
    type: "Error",
    message: "boom",
    stack: `Error: boom\n${OWN}`,
  });
  const again = reasons.of(crash(error), "fatal");
  expect(JSON.parse(JSON.stringify(again))).toEqual({ kind: "error", err: { type: "Error", message: "boom" } });
  expect(errOf(reasons.of(crash(failure("boom")), "error")).stack).toContain(OWN);
});

test("a supervisor that gave up names its child's error, whose stack is told already", () => {
  const reasons = new LoggableReasons();
  const reason = crash(failure("boom"));
  const gaveUp: ExitReason = {
    kind: "shutdown",
    detail: { kind: "reached_max_restart_intensity", id: "root/a", reason },
  };
  const told = { kind: "error", err: { type: "Error", message: "boom" } };
  reasons.of(reason, "error");
  expect(JSON.parse(JSON.stringify(reasons.of(gaveUp, "error")))).toEqual({
    kind: "shutdown",
    detail: { kind: "reached_max_restart_intensity", id: "root/a", reason: told },
  });
  expect(JSON.stringify(new LoggableReasons().of(gaveUp, "error"))).toContain("own.actor.js");
});

test("causes follow with their stacks, and one that is told already with its message", () => {
  const reasons = new LoggableReasons();
  const cause = failure("cause");
  expect(errOf(reasons.of(crash(failure("a", undefined, cause)), "error")).stack).toBe(
    `Error: a\n${OWN}\ncaused by: Error: cause\n${OWN}`,
  );
  expect(errOf(reasons.of(crash(failure("b", undefined, cause)), "error")).stack).toBe(
    `Error: b\n${OWN}\ncaused by: Error: cause`,
  );
});

test("the errors of an AggregateError have their own frames, and a console prints no stack twice", () => {
  const error = new AggregateError([failure("one"), failure("two")], "both");
  error.stack = `AggregateError: both\n${OWN}`;
  const logged = new LoggableReasons().of(crash(error), "error");
  const { aggregateErrors } = errOf(logged);
  expect(aggregateErrors.map(({ stack }: Error) => stack)).toEqual([`Error: one\n${OWN}`, `Error: two\n${OWN}`]);
  const printed = inspect(logged, { depth: 10, showHidden: true });
  expect(printed.split("own.actor.js")).toHaveLength(4);
});

test("a record that is not logged tells no stack", () => {
  const reasons = new LoggableReasons(false, () => 60);
  const reason = crash(failure("boom"));
  reasons.of(reason, "error");
  expect(errOf(reasons.of(reason, "fatal")).stack).toContain(OWN);
});

test("MINI_OTP_STACKS=full shows all frames", () => {
  const { fullStacks } = readLogVariables({ MINI_OTP_STACKS: "full" });
  expect(errOf(new LoggableReasons(fullStacks).of(crash(failure("boom")), "error")).stack).toContain(RUNTIME[0]);
});

test("circles of causes and reasons, and getters that throw, end", () => {
  const error = failure("round");
  error.cause = error;
  const round: any = { kind: "shutdown", error };
  round.detail = round;
  expect(() => new LoggableReasons().of(round, "error")).not.toThrow();
  const thrower = Object.defineProperty(failure("x"), "cause", {
    get() {
      throw new Error("getter");
    },
  });
  expect(() => new LoggableReasons().of(crash(thrower), "error")).not.toThrow();
  expect(errOf(new LoggableReasons().of(crash(thrower), "error")).message).toContain("x");
});

test.each([
  [{}, undefined, false],
  [{ MINI_OTP_LOG: "", MINI_OTP_STACKS: "" }, undefined, false],
  [{ MINI_OTP_LOG: "json", MINI_OTP_STACKS: "short" }, "json", false],
  [{ MINI_OTP_LOG: "readable", MINI_OTP_STACKS: "full" }, "readable", true],
])("the environment %o says the form %s, and full stacks: %s", (env, form, fullStacks) => {
  expect(readLogVariables(env)).toEqual({ form, fullStacks });
});

test("a value that a variable does not take is refused by name, with what is allowed", () => {
  expect(() => readLogVariables({ MINI_OTP_LOG: "pretty" })).toThrow(
    'the environment variable MINI_OTP_LOG="pretty", must be readable or json',
  );
});

// Promise: crash-stack-in-one
test("an error of the runtime's own shows why an actor ended, and not once more where", () => {
  const origin = failure("boom");
  const called = ["    -- root/a, called from --", "    at main (file:///app/main.js:1:1)"];
  const exit = new ActorError("ERR_CALL_EXIT", "it exited", { id: "root/a", method: "work", reason: crash(origin) });
  exit.stack = ["ActorError: it exited", OWN, ...RUNTIME, ...called].join("\n");
  const reasons = new LoggableReasons();
  const first: any = reasons.shown(exit, "fatal");
  expect(first.stack.split("\n")).toEqual(["ActorError: it exited", OWN, ...called]);
  reasons.of(crash(origin), "error");
  const later: any = reasons.shown(exit, "fatal");
  expect(later).toBeInstanceOf(ActorError);
  expect(later.stack.split("\n")).toEqual(["ActorError: it exited", ...called]);
  expect(JSON.parse(JSON.stringify(later.reason))).toEqual({ kind: "error", err: { type: "Error", message: "boom" } });
  expect(exit.stack).toContain(OWN);
  expect(exit.reason).toEqual(crash(origin));
  const other = new Error("other");
  expect(reasons.shown(other, "fatal")).toBe(other);
});

test("what a resource failed with, when that is a call of an actor that ended, has the actor's error in it", () => {
  const exit = new ActorError("ERR_CALL_EXIT", "it exited", {
    id: "root/a",
    method: "work",
    reason: crash(failure("boom")),
  });
  expect(errOf(new LoggableReasons().of(crash(exit as Error), "error"))).toMatchObject({
    type: "ActorError",
    reason: { kind: "error", err: { message: "boom" } },
  });
});
