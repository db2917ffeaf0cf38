import { inspect } from "node:util";
import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import { WORKER_MAIN } from "@mini-otp/worker-host/protocol/port";
import { afterEach, expect, test, vi } from "vitest";

const OWN = "    at Object.x (file:///app/own.actor.js:3:9)";
const RUNTIME = `    at #run (${new URL("../thread/start-thread.cjs", WORKER_MAIN).href}:28:12)`;
const INSTALLED = "    at #perform (file:///app/node_modules/@mini-otp/runtime/dist/supervision/loop.js:1:2)";

afterEach(() => vi.unstubAllEnvs());

function thrown(message: string, facts: Record<string, unknown> = {}): Error {
  const error = Object.assign(new Error(message), facts);
  error.stack = `Error: ${message}\n${OWN}\n${RUNTIME}`;
  return error;
}
function callExit(error: Error, cause?: unknown): Error {
  const reason = { kind: "error", error } as const;
  const failed = new ActorError("ERR_CALL_EXIT", "the actor exited", { id: "root/a", method: "x", reason, cause });
  failed.stack = `ActorError: the actor exited\n${OWN}\n${RUNTIME}\n${INSTALLED}`;
  return failed;
}

// Promise: crash-stack-in-one
test("a printed error has the application's frames once, then its facts", () => {
  const error = callExit(thrown("boom", { errno: -2 }));
  expect(inspect(error, { breakLength: 200 })).toBe(
    `ActorError: the actor exited\n${OWN} {\n  code: 'ERR_CALL_EXIT',\n  id: 'root/a',\n  method: 'x',\n` +
      "  reason: { kind: 'error', error: [Error: boom] { errno: -2 } }\n}",
  );
  expect(error.stack).toContain(RUNTIME);
});

test("a printed error names its cause in one line where the cause's frames are shown already", () => {
  const boom = thrown("boom");
  const text = inspect(callExit(boom, boom));
  expect(text).toContain("[cause]: [Error: boom]");
  expect(text.split(OWN)).toHaveLength(2);
});

test("a cause with frames of its own is shown with them, and the reason names it", () => {
  const other = thrown("disk");
  other.stack = "Error: disk\n    at write (file:///app/disk.js:1:1)";
  const text = inspect(callExit(other, other));
  expect(text).toContain("error: [Error: disk]");
  expect(text.split("    at write (file:///app/disk.js:1:1)")).toHaveLength(2);
});

test("MINI_OTP_STACKS=full keeps all frames of a printed error", () => {
  vi.stubEnv("MINI_OTP_STACKS", "full");
  expect(inspect(callExit(thrown("boom")))).toContain(RUNTIME);
});

test("an error within a value, in a list or below the depth, is printed as Node prints errors", () => {
  expect(inspect({ list: [callExit(thrown("boom"))] })).toContain("reason: [Object]");
  expect(inspect(Object.assign(new Error("outer"), { a: { b: { c: callExit(thrown("boom")) } } }))).toContain(
    "[ActorError]",
  );
});
