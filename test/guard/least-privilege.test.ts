import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ActorSpec } from "@mini-otp/runtime";
import { afterAll, expect, test } from "vitest";
import { testSystem } from "../support/system.js";
import type Memory from "./fixtures/memory.actor.js";

const MEMORY = new URL("./fixtures/memory.actor.js", import.meta.url);
// Not below the working directory, which Node 22 and later let every worker read.
const FOLDER = mkdtempSync(join(tmpdir(), "least-privilege-"));
const OUTSIDE = join(FOLDER, "outside.txt");
writeFileSync(OUTSIDE, "outside");
afterAll(() => rmSync(FOLDER, { recursive: true }));

async function actorWith(spec: Partial<ActorSpec> = {}) {
  const system = await testSystem({ intensity: 100 });
  return system.startChild<typeof Memory>({ id: "memory", actor: MEMORY, ...spec });
}

async function reasonOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => "replied",
    (error: unknown) => (error as { reason?: unknown }).reason,
  );
}

test("an actor has no environment but what its spec lists", async () => {
  process.env.MINI_OTP_TEST_SECRET = "secret";
  const bare = await actorWith();
  expect(await bare.call("environment")).toEqual({});
  const listed = await actorWith({ env: { LISTED: "yes", LEFT_OUT: undefined } });
  expect(await listed.call("environment")).toEqual({ LISTED: "yes" });
});

test.each([
  ["process.kill(process.pid)", "it would end every actor"],
  ["process.kill(0, 'SIGTERM')", "it would end every actor"],
  ["process.getBuiltinModule('v8').setFlagsFromString('--stack-size=100')", "V8's flags are those of every thread"],
])("%s crashes the actor and reaches no other", async (expression, why) => {
  const actor = await actorWith();
  expect(await reasonOf(actor.call("evaluate", expression))).toMatchObject({
    kind: "error",
    error: { code: "ERR_WRONG_THREAD", message: expect.stringContaining(why) },
  });
  expect(await actor.call("ping")).toBe(2);
});

test.each(["process.abort()", "process.chdir('/')", "process.setuid(0)"])(
  "Node itself refuses an actor %s",
  async (expression) => {
    const actor = await actorWith();
    expect(await reasonOf(actor.call("evaluate", expression))).toMatchObject({ kind: "error" });
    expect(await actor.call("ping")).toBe(2);
  },
);

test("an actor may ask whether its process is there", async () => {
  const actor = await actorWith();
  expect(await actor.call("evaluate", "process.kill(process.pid, 0)")).toBe(true);
});

test("an actor with permissions reads what they name, and its own modules, and nothing else", async () => {
  const actor = await actorWith({ permissions: {} });
  expect(await reasonOf(actor.call("read", OUTSIDE))).toMatchObject({
    kind: "error",
    error: { code: "ERR_ACCESS_DENIED" },
  });
  const reader = await actorWith({ permissions: { fsRead: [OUTSIDE] } });
  expect(await reader.call("read", OUTSIDE)).toBe("outside");
});

test("an actor with permissions starts no process and no thread unless they say so", async () => {
  const actor = await actorWith({ permissions: {} });
  const denied = { kind: "error", error: { code: "ERR_ACCESS_DENIED" } };
  expect(await reasonOf(actor.call("blockNatively", 1))).toMatchObject(denied);
  const thread = "new (process.getBuiltinModule('worker_threads').Worker)('', { eval: true })";
  expect(await reasonOf(actor.call("evaluate", thread))).toMatchObject(denied);
});

test("an actor without permissions in its spec may do what main may", async () => {
  const actor = await actorWith();
  expect(await actor.call("read", OUTSIDE)).toBe("outside");
});
