import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ActorRef,
  comlinkActor,
  type DynamicSupervisorRef,
  dynamicSupervisor,
  type PoolRef,
  pool,
  router,
} from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { projectFolder } from "../support/project-folder.js";
import { recordingLogger } from "../support/recording-logger.js";
import { testSystem } from "../support/system.js";

/** Adds what `step` says; a second word for its handlers and imports. */
const counter = (step: string, { imports = "", handlers = "", init = "({ count: 0 })" } = {}) => `
  import { defineActor } from "@mini-otp/worker-host";
  ${imports}
  export default defineActor({
    init: () => ${init},
    handlers: {
      add: (ctx) => (ctx.state.count += ${step}),
      step: () => ${step},
      crash() {
        throw new Error("x");
      },
      ${handlers}
    },
  });`;

async function developing() {
  const folder = projectFolder();
  const { logger, lines } = recordingLogger();
  const system = await testSystem({ logger, intensity: 1000, dev: { watch: true } });
  let upgrades = 0;
  system.on("actor_upgraded", () => upgrades++);
  const messages = (level: string) => lines.filter((line) => line.level === level).map(({ message }) => message);
  const start = (id: string, file = "counter.actor.js"): Promise<ActorRef> =>
    system.startChild({ id, actor: folder.url(file) });
  const says = (ref: ActorRef, step: unknown) => eventually(async () => (await ref.call("step")) === step);
  return { ...folder, system, start, says, messages, upgrades: () => upgrades };
}

test("a saved edit of an actor's module is live, and the state is kept", async () => {
  const { write, start, says, messages } = await developing();
  write("counter.actor.js", counter("1"));
  const ref = await start("counter");
  expect(await ref.call("add")).toBe(1);
  write("counter.actor.js", counter("10"));
  await says(ref, 10);
  expect(await ref.call("add")).toBe(11);
  expect(messages("info").filter((text) => text.includes("counter.actor.js was saved: 1 actor upgraded"))).toHaveLength(
    1,
  );
});

test("so it is in a process: the next one goes on with the state", async () => {
  const { write, system, says, url } = await developing();
  write("counter.actor.js", counter("1", { handlers: "pid: () => process.pid," }));
  const ref: ActorRef = await system.startChild({
    id: "counter",
    actor: url("counter.actor.js"),
    isolation: "process",
  });
  expect(await ref.call("add")).toBe(1);
  const pid = await ref.call("pid");
  write("counter.actor.js", counter("10", { handlers: "pid: () => process.pid," }));
  await says(ref, 10);
  expect(await ref.call("add")).toBe(11);
  expect([process.pid, pid]).not.toContain(await ref.call("pid"));
});

test("so is an edit of what it imports, however far, and of an import that an edit has added", async () => {
  const { write, start, says } = await developing();
  write("counter.actor.js", counter("step", { imports: 'import { step } from "./lib/step.js";' }));
  write("lib/step.js", 'export * from "./deep/value.js";');
  write("lib/deep/value.js", "export const step = 1;");
  const ref = await start("counter");
  expect(await ref.call("add")).toBe(1);
  write("lib/deep/value.js", "export const step = 10;");
  await says(ref, 10);
  expect(await ref.call("add")).toBe(11);
  write("other/value.js", "export const step = 100;");
  write("lib/step.js", 'export * from "../other/value.js";');
  await says(ref, 100);
  write("other/value.js", "export const step = 1000;");
  await says(ref, 1000);
  expect(await ref.call("add")).toBe(1011);
});

test("packages of the workspace and the package's own #imports are the project's, what is installed is not", async () => {
  const { write, start, says, path, upgrades } = await developing();
  const imports = ["#step", "shared/more", "installed"].map((name, i) => `import { v as v${i} } from "${name}";`);
  write("app/package.json", JSON.stringify({ type: "module", imports: { "#*": { import: "./src/*.js" } } }));
  write("app/src/step.js", "export const v = 1;");
  write(
    "shared/package.json",
    JSON.stringify({ type: "module", name: "shared", exports: { "./*": { import: "./*.js" } } }),
  );
  write("shared/more.js", "export const v = 10;");
  mkdirSync(join(path, "app/node_modules"), { recursive: true });
  symlinkSync(join(path, "shared"), join(path, "app/node_modules/shared"));
  write("app/node_modules/installed/package.json", JSON.stringify({ type: "module", exports: "./index.js" }));
  write("app/node_modules/installed/index.js", "export const v = 100;");
  write("app/counter.actor.js", counter("(v0 + v1 + v2)", { imports: imports.join("\n") }));
  const ref = await start("counter", "app/counter.actor.js");
  await says(ref, 111);
  write("app/src/step.js", "export const v = 2;");
  await says(ref, 112);
  write("shared/more.js", "export const v = 20;");
  await says(ref, 122);
  const before = upgrades();
  write("app/node_modules/installed/index.js", "export const v = 200;");
  // A later change has been seen, so that an earlier one would have been.
  write("shared/more.js", "export const v = 30;");
  await eventually(() => upgrades() > before);
  await says(ref, 232);
  expect(upgrades()).toBe(before + 1);
});

test("a syntax error leaves the old code running with one line in the log, and the next good save is live", async () => {
  const { write, start, says, messages } = await developing();
  write("counter.actor.js", counter("1"));
  const refs = [await start("a"), await start("b"), await start("c")];
  for (const ref of refs) await ref.call("add");
  write("counter.actor.js", "export default defineActor({");
  await eventually(() => messages("warn").length > 0);
  expect(await Promise.all(refs.map((ref) => ref.call("add")))).toEqual([2, 2, 2]);
  write("counter.actor.js", counter("10"));
  for (const ref of refs) await says(ref, 10);
  expect(await Promise.all(refs.map((ref) => ref.call("add")))).toEqual([12, 12, 12]);
  expect(messages("warn")).toEqual([
    expect.stringMatching(/counter\.actor\.js was saved, but 3 actors kept the old code: .*SyntaxError/),
  ]);
});

test("a save by rename, by truncating first, and many saves in a burst are each one change", async () => {
  const { write, start, says, path, upgrades } = await developing();
  write("counter.actor.js", counter("1"));
  const ref = await start("counter");
  const file = join(path, "counter.actor.js");
  write("counter.actor.js~", counter("2"));
  renameSync(`${file}~`, file);
  await says(ref, 2);
  renameSync(file, `${file}.bak`);
  write("counter.actor.js", counter("3"));
  await says(ref, 3);
  writeFileSync(file, "");
  writeFileSync(file, counter("4"));
  await says(ref, 4);
  const before = upgrades();
  for (let step = 5; step <= 60; step++) write("counter.actor.js", counter(String(step)));
  await says(ref, 60);
  expect(upgrades() - before).toBeLessThanOrEqual(3);
  // The same contents again are no change.
  write("counter.actor.js", counter("60"));
  write("counter.actor.js", counter("61"));
  await says(ref, 61);
});

test("a deleted file costs nothing but a line; when it comes back, with its folder too, it is live", async () => {
  const { write, start, says, path, messages } = await developing();
  write("dist/code/counter.actor.js", counter("1"));
  const ref = await start("counter", "dist/code/counter.actor.js");
  await ref.call("add");
  for (const step of [2, 3]) {
    rmSync(join(path, "dist"), { recursive: true });
    await eventually(() => messages("warn").length === step - 1);
    expect(messages("warn").at(-1)).toMatch(/counter\.actor\.js is gone/);
    expect(await ref.call("step")).toBe(step - 1);
    write("dist/code/counter.actor.js", counter(String(step)));
    await says(ref, step);
  }
  expect(await ref.call("add")).toBe(4);
});

test("members of routers, dynamic children, children of actors and light actors are upgraded, a pool says that it is not", async () => {
  const { write, url, system, says, messages } = await developing();
  write("counter.actor.js", counter("1"));
  write("parent.actor.js", counter("1", { handlers: "start: async (ctx, spec) => ctx.startChild(spec)," }));
  write("task.js", "export default () => 1;");
  const actor = url("counter.actor.js");
  await system.startChild(router({ id: "router", size: 2, route: "round_robin", actor }));
  const dynamic = (await system.startChild(dynamicSupervisor({ id: "dynamic" }))) as DynamicSupervisorRef;
  const refs: ActorRef[] = [await dynamic.startChild({ id: "x", actor })];
  const parent: ActorRef = await system.startChild({ id: "parent", actor: url("parent.actor.js") });
  refs.push(await parent.call("start", { id: "child", actor: actor.href }));
  const tasks: PoolRef = await system.startChild(
    pool({ id: "pool", filename: url("task.js"), maxThreads: 1, minThreads: 1 }),
  );
  const lights = await system.startChild(
    dynamicSupervisor({ id: "lights", threads: { count: 1 }, template: { actor } }),
  );
  for (const id of ["l", "m"]) refs.push(await lights.startChild({ id }));
  expect(await tasks.run(undefined)).toBe(1);
  refs.push(system.child("router").child("0"), system.child("router").child("1"));
  for (const ref of refs) await ref.call("add");
  write("counter.actor.js", counter("10"));
  for (const ref of refs) await says(ref, 10);
  for (const ref of refs) expect(await ref.call("add")).toBe(11);
  // New members have the new code, as everything that starts.
  await system.child("router").resize(3);
  expect(await (await lights.startChild({ id: "n" })).call("step")).toBe(10);
  expect(await system.child("router").child("2").call("step")).toBe(10);
  write("task.js", "export default () => 2;");
  await eventually(() => messages("warn").length === 1);
  expect(await tasks.run(undefined)).toBe(1);
  expect(messages("warn")).toEqual([
    expect.stringMatching(/task\.js was saved: the threads of root\/pool keep the old code/),
  ]);
});

test("light actors keep what cannot be read anew in their thread, and the line says so", async () => {
  const { write, url, system, says, messages } = await developing();
  const counting = (step: string): string => counter(step, { imports: 'import { more } from "./more.js";' });
  write("more.js", "export const more = 1;");
  write("light.actor.js", counting("more"));
  write("door.actor.js", counter("1"));
  const { pathname } = new URL(import.meta.resolve("@mini-otp/worker-host"));
  const common = (step: number): string => `const { defineActor } = require(${JSON.stringify(pathname)});
    module.exports = defineActor({ handlers: { step: () => ${step} } });`;
  write("old.actor.cjs", common(1));
  const lights = await system.startChild(
    dynamicSupervisor({
      id: "lights",
      threads: { count: 1 },
      template: { actor: url("light.actor.js") },
      perThread: [{ id: "door", actor: url("door.actor.js") }],
    }),
  );
  const old = await system.startChild(
    dynamicSupervisor({ id: "old", threads: { count: 1 }, template: { actor: url("old.actor.cjs") } }),
  );
  const light: ActorRef = await lights.startChild({ id: "l" });
  const oldLight: ActorRef = await old.startChild({ id: "l" });
  expect([await light.call("step"), await oldLight.call("step")]).toEqual([1, 1]);
  write("more.js", "export const more = 2;");
  await eventually(() => messages("warn").length === 1);
  write("door.actor.js", counter("2"));
  await eventually(() => messages("warn").length === 2);
  write("old.actor.cjs", common(2));
  await eventually(() => messages("warn").length === 3);
  expect(messages("warn")).toEqual([
    expect.stringMatching(/more\.js was saved: the threads of root\/lights\/0 keep the old code/),
    expect.stringMatching(/door\.actor\.js was saved: the threads of root\/lights\/0 keep the old code/),
    expect.stringMatching(/old\.actor\.cjs was saved, but 1 actor kept the old code: .*Node keeps a CommonJS file/),
  ]);
  expect([await light.call("step"), await oldLight.call("step")]).toEqual([1, 1]);
  write("light.actor.js", counting("10 * more"));
  await says(light, 10);
});

test("what a module exposes with comlink is loaded anew", async () => {
  const { write, url, system } = await developing();
  const exposed = (step: number): string =>
    `import { expose } from "comlink"; let count = 0; expose({ add: () => (count += ${step}) });`;
  write("exposed.js", exposed(1));
  const ref: ActorRef = await system.startChild({ id: "exposed", actor: comlinkActor(url("exposed.js")) });
  expect(await ref.call("add")).toBe(1);
  const upgraded = new Promise((resolve) => system.on("actor_upgraded", resolve));
  write("exposed.js", exposed(10));
  await upgraded;
  expect(await ref.call("add")).toBe(10);
});

test("an actor whose state cannot be copied keeps its old code, and the line says what is in the way", async () => {
  const { write, start, says, system, messages } = await developing();
  write("counter.actor.js", counter("1", { init: "({ count: 0, socket: () => {} })" }));
  const ref = await start("counter");
  write("counter.actor.js", counter("2", { init: "({ count: 0 })" }));
  await eventually(() => messages("warn").length === 1);
  expect(messages("warn")[0]).toMatch(/1 actor kept the old code: .*ctx\.state\.socket/);
  expect(await ref.call("step")).toBe(1);
  await system.terminateChild("counter");
  await system.restartChild("counter");
  await says(ref, 2);
});

/** A counter that was restarted, beside a spare thread that has loaded its module. */
async function crashedOnce() {
  const { write, start, says, system } = await developing();
  write("counter.actor.js", counter("1"));
  const ref = await start("counter");
  await ref.cast("crash");
  await says(ref, 1);
  await eventually(() => system.stats().spares.ready === 1);
  return { write, says, ref };
}

test("a crash after a reload does not bring the old code back, by a spare thread", async () => {
  const { write, says, ref } = await crashedOnce();
  write("counter.actor.js", counter("2"));
  await says(ref, 2);
  await ref.cast("crash");
  expect(await ref.call("step")).toBe(2);
});

test("an actor that is being restarted at the save has the new code once it runs", async () => {
  const { write, says, ref } = await crashedOnce();
  write("counter.actor.js", counter("2"));
  for (let crashes = 0; crashes < 5; crashes++) await ref.cast("crash");
  await says(ref, 2);
  await ref.cast("crash");
  expect(await ref.call("step")).toBe(2);
});

test("a save during an upgrade is live after it", async () => {
  const { write, url, start, says, system } = await developing();
  write("counter.actor.js", counter("1"));
  write("other.actor.js", counter("7"));
  const ref = await start("counter");
  await says(ref, 1);
  const upgrading = system.upgrade(ref, url("other.actor.js"));
  write("counter.actor.js", counter("2"));
  await upgrading;
  expect(await ref.call("step")).toBe(7);
  write("other.actor.js", counter("8"));
  await says(ref, 8);
});

test("without the option nothing is watched", async () => {
  const { write, url } = projectFolder();
  write("counter.actor.js", counter("1"));
  const watching = await developing();
  const system = await testSystem();
  const start = { id: "counter", actor: url("counter.actor.js") };
  const plain = await system.startChild(start);
  const watched = await watching.system.startChild(start);
  write("counter.actor.js", counter("2"));
  await watching.says(watched, 2);
  expect(await plain.call("step")).toBe(1);
});
