import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ActorError,
  dynamicSupervisor,
  pool,
  router,
  type SystemOptions,
  startSystem,
  supervisor,
} from "@mini-otp/runtime";
import { runInline } from "@mini-otp/runtime/testing";
import { defineActor } from "@mini-otp/worker-host";
import { expect, onTestFinished, test, vi } from "vitest";
import type Echo from "../fixtures/echo.actor.js";
import { eventually } from "../support/eventually.js";
import { recordingLogger } from "../support/recording-logger.js";
import { fixture, testSystem } from "../support/system.js";

// Threads start, on a machine that may have other work.
vi.setConfig({ testTimeout: 20_000 });

/** What a call rejects with or throws. */
async function failureOf(call: () => unknown): Promise<ActorError & Error> {
  try {
    await call();
  } catch (error) {
    return error as ActorError;
  }
  throw new Error("it does not fail");
}

async function anEcho(options?: SystemOptions) {
  const system = await testSystem(options);
  return { system, echo: await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") }) };
}

/** A folder with these files. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "messages-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const aFunction = (): void => {};
const twoMembers = { size: 2, route: "round_robin" } as const;

test("what cannot be sent names its receiver and the method, in every way that a message is sent", async () => {
  const { echo } = await anEcho();
  const value = { socket: aFunction } as never;
  const facts = { code: "ERR_NOT_CLONEABLE", id: "root/echo", path: "args[0].socket" };
  for (const send of [
    () => echo.call("echo", value),
    () => echo.cast("echo", value),
    () => echo.tryCast("echo", value),
  ]) {
    const error = await failureOf(send);
    expect(error).toMatchObject({ ...facts, method: "echo" });
    expect(error.message).toBe("id=root/echo method=echo: args[0].socket is a function; a message carries data only");
  }
  expect(await failureOf(() => echo.send(value))).toMatchObject({ ...facts, method: "info" });
  const list = echo.with({ transfer: [new Uint8Array(1) as never] });
  const notTransferred = await failureOf(() => list.call("echo", 1));
  expect(notTransferred).toMatchObject({ ...facts, method: "echo", path: "transfer[0]" });
  expect(notTransferred.message).toBe("id=root/echo method=echo: transfer[0] is a Uint8Array: transfer its buffer");
});

test("a reply and a state that cannot be sent name the actor whose they are", async () => {
  const { system, echo } = await anEcho();
  const reply = await failureOf(() => echo.call("unreachable"));
  expect(reply).toMatchObject({ code: "ERR_NOT_CLONEABLE", id: "root/echo", method: "unreachable", path: "reply.f" });
  expect(reply.message).toContain("id=root/echo method=unreachable: reply.f is a function");
  const state = await failureOf(() => system.replaceState(echo, { socket: aFunction }));
  expect(state).toMatchObject({ code: "ERR_NOT_CLONEABLE", id: "root/echo", path: "state.socket" });
  expect(state.message).toContain("id=root/echo method=replaceState: state.socket is a function");
});

test("a pool's task and result that cannot be sent name the pool", async () => {
  const system = await testSystem();
  const filename = pathToFileURL(
    join(await folderOf({ "work.mjs": "export default (task) => (task === 1 ? { back() {} } : task);" }), "work.mjs"),
  );
  const work = await system.startChild(pool({ id: "work", filename, maxThreads: 1 }));
  const task = await failureOf(() => work.run({ socket: aFunction }));
  expect(task).toMatchObject({ code: "ERR_NOT_CLONEABLE", id: "root/work", path: "task.socket" });
  expect(task.message).toContain("id=root/work: task.socket is a function");
  expect(await failureOf(() => work.run(1))).toMatchObject({ id: "root/work", path: "result.back" });
  const unknown = await failureOf(() => work.run(1, { name: "wrok" }));
  expect(unknown).toMatchObject({ code: "ERR_UNKNOWN_METHOD", id: "root/work", method: "wrok" });
  expect(unknown.message).toContain("has no such function; it has: default");
  const actors = await system.startChild(pool({ id: "actors", filename: fixture("echo"), maxThreads: 1 }));
  expect((await failureOf(() => actors.run(1))).message).toContain(
    "is an actor's module, and a pool runs plain functions; start the actor by startChild",
  );
});

test("an actor that runs inline says of a value that cannot be sent what an actor in a thread says", async () => {
  const inline = await runInline(defineActor({ handlers: { keep: (_ctx, _value: unknown) => {} } }), undefined, {
    id: "keeper",
  });
  const error = await failureOf(() => inline.call("keep", { socket: aFunction } as never));
  expect(error.message).toBe("id=keeper method=keep: args[0].socket is a function; a message carries data only");
  await inline.stop();
});

test("a full mailbox says how much it holds and how long a sender waits", async () => {
  const system = await testSystem();
  const full = async (overflow: "block" | "reject") => {
    const mailbox = { capacity: 1, overflow, blockTimeoutMs: 20 };
    const ref = await system.startChild<typeof Echo>({ id: overflow, actor: fixture("echo"), mailbox });
    void ref.cast("never");
    await eventually(() => system.stats(ref).handling !== null);
    while (ref.tryCast("never") === "ok");
    return failureOf(() => ref.cast("echo", 1));
  };
  const facts = { capacity: 1, capacityBytes: 2 ** 20, blockTimeoutMs: 20 };
  const waited = await full("block");
  expect(waited).toMatchObject({
    code: "ERR_MAILBOX_FULL",
    id: "root/block",
    method: "echo",
    overflow: "block",
    ...facts,
  });
  expect(waited.message).toBe(
    'id=root/block method=echo: the mailbox is full (capacity=1, capacityBytes=1048576, overflow="block", blockTimeoutMs=20)',
  );
  const refused = await full("reject");
  expect(refused).toMatchObject({ code: "ERR_MAILBOX_FULL", id: "root/reject", overflow: "reject", ...facts });
  expect(refused.message).toBe(
    'id=root/reject method=echo: the mailbox is full (capacity=1, capacityBytes=1048576, overflow="reject")',
  );
});

test("a blocking call on main says for which actor it was", async () => {
  const { echo } = await anEcho();
  const called = await failureOf(() => echo.callSync("echo", 1));
  expect(called).toMatchObject({ code: "ERR_WRONG_THREAD", id: "root/echo" });
  expect(called.message).toBe("id=root/echo method=echo: callSync blocks its thread; on main use call");
  expect(await failureOf(() => echo.castSync("echo", 1))).toMatchObject({ code: "ERR_WRONG_THREAD", id: "root/echo" });
});

test("once the system has stopped, references and questions about them say so", async () => {
  const { system, echo } = await anEcho();
  const echoes = await system.startChild(
    router<typeof Echo>({ id: "echoes", actor: fixture("echo"), size: 1, route: "round_robin" }),
  );
  const filename = new URL("../pool/fixtures/work.js", import.meta.url);
  const work = await system.startChild(pool({ id: "work", filename, maxThreads: 1 }));
  await system.stop();
  const calls: readonly (() => unknown)[] = [
    () => echo.call("echo", 1),
    () => echo.cast("echo", 1),
    () => echo.send(1),
    () => echoes.call("echo", 1),
    () => work.run(1),
    () => echo.stats(),
    () => system.stats(echo),
    () => system.getState(echo),
    () => system.suspend(echoes),
  ];
  for (const call of calls) {
    const error = await failureOf(call);
    expect(error).toMatchObject({ code: "ERR_NOPROC" });
    expect(error.message).toMatch(/^id=root\/\w+ method=\w+: no such actor \(the system has stopped\)$/);
  }
});

test("a module that was not found tells which actor it was for, each file that was tried, and what Node said", async () => {
  const system = await testSystem();
  const actor = new URL("./no-such.actor.js", import.meta.url);
  const error = await failureOf(() => system.startChild({ id: "one", actor }));
  const tried = [actor.href, actor.href.replace(/js$/, "ts")];
  expect(error).toMatchObject({ code: "ERR_ACTOR_MODULE", id: "root/one", tried });
  expect(error.cause).toMatchObject({ code: "ERR_MODULE_NOT_FOUND" });
  expect(error.message).toBe(`root/one: actor module not found; tried ${tried.join(", ")}`);
  const pooled = await failureOf(() => system.startChild(pool({ id: "pool", filename: actor })));
  expect(pooled).toMatchObject({ code: "ERR_ACTOR_MODULE", id: "root/pool", tried });
  expect(pooled.cause).toMatchObject({ code: "ERR_MODULE_NOT_FOUND" });
});

test("a module that does not load, and one without an actor, tell which actor they are for", async () => {
  const folder = await folderOf({ "throws.mjs": 'throw new Error("at the top");', "empty.mjs": "export const a = 1;" });
  const system = await testSystem();
  const throws = await failureOf(() => system.startChild({ id: "throws", actor: join(folder, "throws.mjs") }));
  expect(throws).toMatchObject({ code: "ERR_ACTOR_MODULE", id: "root/throws", cause: { message: "at the top" } });
  const empty = await failureOf(() => system.startChild({ id: "empty", actor: join(folder, "empty.mjs") }));
  expect(empty).toMatchObject({ code: "ERR_ACTOR_MODULE", id: "root/empty" });
  expect(empty.message).toMatch(/^root\/empty: .* has no actor as its default export/);
});

test("an init that cannot do without arguments says that the spec has none", async () => {
  const host = import.meta.resolve("@mini-otp/worker-host");
  const definition = "{ init: ({ n }) => ({ n }), handlers: { n: (ctx) => ctx.state.n } }";
  const source = `import { defineActor } from "${host}";\nexport default defineActor(${definition});`;
  const folder = await folderOf({ "one.mjs": source });
  const system = await testSystem();
  const actor = join(folder, "one.mjs");
  const { message } = await failureOf(() => system.startChild({ id: "one", actor }));
  expect(message).toMatch(/^root\/one failed to start: init_failed \(TypeError: .*\); the spec has no args$/);
  const declared = { id: "three", actor } as const;
  for (const child of [
    declared,
    supervisor({ id: "s", children: [declared] }),
    router({ ...declared, ...twoMembers }),
  ]) {
    const failure = await failureOf(() => startSystem({ logger: false, children: [child] }));
    expect(failure.message).toMatch(/three.* failed to start: init_failed \(TypeError: .*\); the spec has no args$/);
  }
  const light = await system.startChild(dynamicSupervisor({ id: "light", threads: {}, template: { actor } }));
  const lightFailure = await failureOf(() => light.startChild({ id: "four" }));
  expect(lightFailure.message).toMatch(/^root\/light\/four failed to start: .*; the spec has no args$/);
  const needy = defineActor({ init: ({ n }: { n: number }) => n, handlers: {} });
  const inline = await failureOf(() => (runInline as (actor: unknown) => unknown)(needy));
  expect(inline.message).toMatch(/failed to start: .*; it was given no args$/);
  const other = await failureOf(() => system.startChild({ id: "two", actor, args: null }));
  expect(other.message).not.toContain("the spec has no args");
});

test("an import without the file's ending is explained, and so is one of a folder", async () => {
  const folder = await folderOf({
    "other.mjs": "export const a = 1;",
    "one.mjs": 'import "./other";',
    "none.mjs": 'import "./no-other";',
  });
  const system = await testSystem();
  const start = (name: string) => failureOf(() => system.startChild({ id: name, actor: join(folder, `${name}.mjs`) }));
  expect((await start("one")).message).toContain(
    'Node wants the whole file name in an import: write "other.mjs" instead of "other"',
  );
  expect((await start("none")).message).not.toContain("whole file name");
});

test("a TypeScript file that tsx takes for CommonJS is explained, where Node itself does not load TypeScript", async () => {
  const host = import.meta.resolve("@mini-otp/worker-host");
  const source = `import { defineActor } from "${host}";\nexport default defineActor({ handlers: { ping: () => "pong" } });`;
  const folder = await folderOf({ "one.actor.ts": source });
  const system = await testSystem();
  const start = system.startChild({ id: "one", actor: join(folder, "one.actor.ts") }).then(
    (one) => one.call("ping"),
    (error: Error) => error.message,
  );
  const loads = Boolean((process.features as { typescript?: unknown }).typescript);
  expect(await start).toEqual(
    loads ? "pong" : expect.stringContaining('"type": "module", or if its name ends in .mts'),
  );
});

test("a relative path that leads nowhere is explained for ES modules and for CommonJS", async () => {
  const system = await testSystem();
  const { message } = await failureOf(() => system.startChild({ id: "one", actor: "./no/such.actor.js" }));
  expect(message).toContain('new URL("./no/such.actor.js", import.meta.url) is relative to the file');
  expect(message).toContain('join(__dirname, "./no/such.actor.js") in CommonJS');
});

test("a start that fails shows in its stack who asked for it", async () => {
  const system = await testSystem();
  async function startOfTheService(): Promise<unknown> {
    return await system.startChild({ id: "one", actor: new URL("./no-such.actor.js", import.meta.url) });
  }
  const { stack = "" } = await failureOf(startOfTheService);
  expect(stack).toContain("-- root, called from --");
  expect(stack).toMatch(/at (?:async )?startOfTheService \(.*messages\.test\.[jt]s:\d+/);
  async function restartOfTheService(): Promise<unknown> {
    return await system.restartChild("no such");
  }
  const shown = (await failureOf(restartOfTheService)).stack ?? "";
  expect(shown.match(/restartOfTheService/g)).toHaveLength(1);
});

test("a system that fails to start shows in its stack who started it", async () => {
  async function startOfTheSystem(): Promise<unknown> {
    const children = [{ id: "one", actor: new URL("./no-such.actor.js", import.meta.url) }];
    return await testSystem({ children });
  }
  const { stack = "" } = await failureOf(startOfTheSystem);
  expect(stack).toMatch(/at (?:async )?startOfTheSystem \(.*messages\.test\.[jt]s:\d+/);
});

test("what is given in the place of a spec is refused with what a spec looks like", async () => {
  const system = await testSystem();
  for (const wrong of [fixture("echo"), "echo.actor.js", Promise.resolve({}), undefined, 5, []]) {
    const error = await failureOf(() => system.startChild(wrong as never));
    expect(error).toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", id: "root", field: "" });
    expect(error.message).toContain('must be a child spec: { id: "hasher", actor: new URL(');
  }
});

test("a misspelt option of a definition is told with the one that was meant", () => {
  const define = (options: unknown) => () => defineActor(options as never);
  expect(define({ handler: {} })).toThrow(/no option handler; there are: .*; did you mean "handlers"\?$/);
  expect(define({ handlers: {}, inti() {} })).toThrow(/no option inti; there are: .*; did you mean "init"\?$/);
  expect(define({ handlers: {}, multiply() {} })).toThrow(/handled by its handlers$/);
});

test("a dead letter of a method that does not exist is logged with those that do", async () => {
  const { logger, lines } = recordingLogger();
  const { echo } = await anEcho({ logger });
  await echo.cast("ehco" as "echo", 1);
  const letter = () => lines.find(({ message }) => message === "dead letter");
  await eventually(() => letter() !== undefined);
  expect(letter()?.fields.detail).toMatch(/^unknown method; handlers: echo, forward, echoLater, refuse/);
});

test("a definition in the place of a spec is told from one, and a misspelt option is told with the one that was meant", async () => {
  const system = await testSystem();
  const definition = await failureOf(() => system.startChild(defineActor({ handlers: {} }) as never));
  expect(definition.message).toContain("; a definition stays in its module");
  const misspelt = await failureOf(() => system.startChild({ id: "a", actor: fixture("echo"), heapCapMB: 1 } as never));
  expect(misspelt.message).toMatch(
    /^invalid child spec "root\/a": no option heapCapMB; there are: .*; did you mean "heapCapMb"\?$/,
  );
});

test("a wrong option is told in the same words wherever it is given, with its value", async () => {
  const { system, echo } = await anEcho();
  const given = [
    () => system.startChild({ id: "a", actor: fixture("echo"), heapCapMb: "64" } as never),
    () => startSystem({ intensity: "64" } as never),
    () => system.stop({ timeoutMs: "64" } as never),
    () => defineActor({ handlers: {}, throws: "64" } as never),
    () => system.monitor(echo, "64" as never),
  ];
  const messages = [];
  for (const give of given) messages.push((await failureOf(async () => give())).message);
  expect(messages).toEqual([
    expect.stringMatching(/^invalid child spec "root\/a": heapCapMb="64", must be MiB, more than 0/),
    expect.stringMatching(/^startSystem: intensity="64", must be a whole number/),
    expect.stringMatching(/^stop: timeoutMs="64", must be /),
    'defineActor: throws="64", must be "crash", "reply"',
    'monitor: listener="64", must be a function',
  ]);
});

test("a promise in a message asks for its await, and a URL for its text", async () => {
  const { echo } = await anEcho();
  const sent = async (value: unknown) => (await failureOf(() => echo.call("echo", value as never))).message;
  expect(await sent(Promise.resolve(1))).toMatch(/args\[0\] is a promise; forgotten await\?$/);
  expect(await sent({ to: new URL("https://example.org") })).toMatch(
    /args\[0\]\.to is an instance of URL, which has methods; send its href$/,
  );
});

test("a child that runs already is told with the way to its reference", async () => {
  const { system, echo } = await anEcho();
  const again = await failureOf(() => system.startChild({ id: "echo", actor: fixture("echo") }));
  expect(again.message).toBe("root/echo is running already; error.ref is its reference");
  expect(again.ref).toBe(echo);
});

test("a child that does not exist is told with those that do, and a full supervisor with its maxChildren", async () => {
  const system = await testSystem();
  const jobs = await system.startChild(
    dynamicSupervisor({ id: "jobs", maxChildren: 12, template: { actor: fixture("echo") } }),
  );
  const message = async (call: () => unknown) => (await failureOf(call)).message;
  expect(await message(() => jobs.terminateChild("x"))).toBe("root/jobs/x does not exist; root/jobs has no children");
  await Promise.all(Array.from({ length: 12 }, () => jobs.startChild({})));
  expect(await message(() => jobs.terminateChild("x"))).toMatch(
    /^root\/jobs\/x does not exist; root\/jobs has (child-\d+, ){9}child-\d+ and 2 more$/,
  );
  expect(await message(() => jobs.startChild({}))).toBe(
    "root/jobs/child-13 would be one child more than maxChildren=12",
  );
});

test("a cast that waited for room in vain, and a task that a pool refuses, show in their stacks who sent them", async () => {
  const system = await testSystem();
  const mailbox = { capacity: 1, blockTimeoutMs: 20 };
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo"), mailbox });
  while (echo.tryCast("never") === "ok");
  async function castOfTheService(): Promise<void> {
    await echo.cast("never");
  }
  const late = await failureOf(async () => {
    for (;;) await castOfTheService();
  });
  expect(late).toMatchObject({ code: "ERR_MAILBOX_FULL" });
  expect(late.stack).toContain("castOfTheService");
  const filename = new URL("../pool/fixtures/work.js", import.meta.url);
  const work = await system.startChild(pool({ id: "work", filename, maxThreads: 1 }));
  async function taskOfTheService(): Promise<void> {
    await work.run(1, { name: "no such function" });
  }
  expect((await failureOf(taskOfTheService)).stack).toContain("taskOfTheService");
});
