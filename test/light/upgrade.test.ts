import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ActorRef, SystemEvents } from "@mini-otp/runtime";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { codeOf, lightMembers } from "./members.js";

const worker = JSON.stringify(import.meta.resolve("@mini-otp/worker-host"));

/** A counter that says which code it has. */
const counter = (version: number, more = ""): string => `
  import { defineActor } from ${worker};
  const waits = (globalThis.waits ??= new Map());
  export default defineActor({
    version: "${version}",
    init: (args) => ({ count: 0, args }),
    handlers: {
      add: (ctx) => ++ctx.state.count,
      code: (ctx) => ["${version}", ctx.state.count, ctx.incarnation],
      wait: (ctx) => new Promise((resolve) => waits.set(ctx.id, () => resolve("${version}"))),
      release: (_ctx, id) => waits.get(id)?.(),
      spawn: (ctx, id) => ctx.spawn({ id }),
      later: (ctx) => void ctx.sendAfter(1, "add"),
      stop: (ctx) => ctx.stop({ kind: "error", error: new Error("again") }),
      exit: () => process.exit(1),
    },
    ${more}
  });`;

async function counters(count = 2) {
  const folder = await mkdtemp(join(tmpdir(), "light-upgrade-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = async (name: string, text: string): Promise<URL> => {
    await writeFile(join(folder, name), text);
    return pathToFileURL(join(folder, name));
  };
  const actor = await file("counter.mjs", counter(1));
  const light = await lightMembers({
    threads: { count, place: "round_robin" },
    template: { actor, restart: "permanent" },
    more: { intensity: 10 },
    system: { intensity: 100 },
  });
  const start = (id: string, rest: object = {}) => light.supervisor.startChild({ id, ...rest }) as Promise<ActorRef>;
  return { ...light, actor, file, start };
}

test("members get the new module between two messages, with their states, in their threads, and so does what starts later", async () => {
  const { system, supervisor, file, start } = await counters();
  const events: SystemEvents["actor_upgraded"][] = [];
  system.on("actor_upgraded", (event) => void events.push(event));
  const all = await Promise.all(Array.from({ length: 200 }, (_, i) => start(`m${i}`)));
  const [a, b, c] = all;
  for (const ref of all) await ref.call("add");
  await a.call("later");
  // `c` is of a's partition, and has a message in hand, and others that wait.
  const held = a.call("wait");
  await eventually(() => a.stats().mailbox.length === 0 && a.stats().mailbox.handled >= 3);
  const waits = [a.call("add"), a.call("code")];
  const change = "codeChange: (state, from) => ({ ...state, count: state.count + 100, from }),";
  const upgrading = system.upgrade(supervisor, await file("counter-2.mjs", counter(2, change)));
  await eventually(async () => (await c.call("code"))[0] === "2");
  expect((await b.call("code"))[0]).toBe("1");
  await c.call("release", a.id);
  expect(await held).toBe("1");
  const results = await upgrading;
  expect(results).toEqual([
    { id: "root/members/0", status: "fulfilled", value: { upgraded: 100, kept: 0 } },
    { id: "root/members/1", status: "fulfilled", value: { upgraded: 100, kept: 0 } },
  ]);
  expect(await Promise.all(waits)).toEqual([expect.any(Number), ["2", expect.any(Number), 1]]);
  for (const ref of all.slice(1)) expect(await ref.call("code")).toEqual(["2", 101, 1]);
  expect(await system.getState(b as never)).toMatchObject({ from: "1" });
  expect(events).toMatchObject([
    { id: "root/members/0", fromVersion: "1", version: "2", incarnation: 1 },
    { id: "root/members/1", fromVersion: "1", version: "2", incarnation: 1 },
  ]);
  const spawned = (await b.call("spawn", "spawned")) as ActorRef;
  expect(await spawned.call("code")).toEqual(["2", 0, 1]);
  expect(await (await start("later")).call("code")).toEqual(["2", 0, 1]);
  // Each further life too: in the thread, and in the next one.
  await c.call("stop");
  await eventually(async () => (await c.call("code"))[2] === 2);
  expect((await c.call("code"))[0]).toBe("2");
  await b.cast("exit");
  await eventually(async () => (await b.call("code").catch(() => []))[2] === 2);
  expect(await b.call("code")).toEqual(["2", 0, 2]);
  expect((await spawned.call("code"))[0]).toBe("2");
});

test("a module that does not load, or has no actor, leaves the old code running, and so does a codeChange that throws", async () => {
  const { system, supervisor, file, start } = await counters(1);
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => start(`m${i}`)));
  for (const ref of all) await ref.call("add");
  const upgrade = async (name: string, text: string) =>
    system.upgrade(supervisor, await file(name, text)).catch((error: unknown) => error);
  expect(await upgrade("syntax.mjs", "export default {")).toMatchObject({ code: "ERR_ACTOR_MODULE" });
  expect(await upgrade("nothing.mjs", "export const nothing = 1;")).toMatchObject({ code: "ERR_ACTOR_MODULE" });
  expect(await system.upgrade(supervisor, new URL("file:///nowhere/at-all.mjs")).catch(codeOf)).toBe(
    "ERR_ACTOR_MODULE",
  );
  const throws = "codeChange: () => { throw new TypeError('cannot'); },";
  expect(await upgrade("throws.mjs", counter(2, throws))).toMatchObject({
    code: "ERR_INIT_FAILED",
    stage: "changing the code",
    cause: { message: "cannot" },
  });
  for (const ref of all) expect(await ref.call("code")).toEqual(["1", 1, 1]);
  expect(await (await start("new")).call("code")).toEqual(["1", 0, 1]);
  const spawned = (await all[0].call("spawn", "spawned")) as ActorRef;
  expect(await spawned.call("code")).toEqual(["1", 0, 1]);
  // Some of them cannot: they keep their code, and the others change.
  const some = "codeChange: async (state) => { if (state.count > 1) throw new Error('too many'); return state; },";
  for (const ref of all.slice(0, 5)) await ref.call("add");
  expect(await upgrade("some.mjs", counter(3, some))).toMatchObject([
    { status: "fulfilled", value: { upgraded: 17, kept: 5, reason: { code: "ERR_INIT_FAILED" } } },
  ]);
  expect(await all[0].call("code")).toEqual(["1", 2, 1]);
  expect(await all[9].call("code")).toEqual(["3", 1, 1]);
});

test("a file that was saved anew is read anew, again and again, and two upgrades at once are ERR_RUNNING", async () => {
  const { system, supervisor, actor, file, start } = await counters(1);
  const a = await start("a");
  for (let version = 2; version <= 4; version++) {
    await file("counter.mjs", counter(version));
    const upgrades = [system.upgrade(supervisor, actor), system.upgrade(supervisor, actor).catch(codeOf)];
    expect(await Promise.all(upgrades)).toMatchObject([[{ value: { upgraded: 1, kept: 0 } }], "ERR_RUNNING"]);
    expect((await a.call("code"))[0]).toBe(String(version));
  }
});

test("members that have no turn within timeoutMs keep their code; without a template's actor there is nothing to upgrade", async () => {
  const { system, supervisor, file, start } = await counters(1);
  const [a, b] = [await start("a"), await start("b")];
  const held = a.call("wait");
  await eventually(() => a.stats().mailbox.handled === 1);
  const next = await file("counter-2.mjs", counter(2));
  expect(await system.upgrade(supervisor, next, { timeoutMs: 200 })).toMatchObject([
    { value: { upgraded: 1, kept: 1, reason: { code: "ERR_INIT_TIMEOUT" } } },
  ]);
  await b.call("release", a.id);
  expect(await held).toBe("1");
  expect([(await a.call("code"))[0], (await b.call("code"))[0]]).toEqual(["1", "2"]);
  const other = await lightMembers({ threads: {}, template: { actor: undefined } as never });
  expect(await other.system.upgrade(other.supervisor, next).catch(codeOf)).toBe("ERR_NOT_AN_ACTOR");
  expect(await system.upgrade(supervisor, 7 as never).catch(codeOf)).toBe("ERR_INVALID_OPTION");
  expect(await system.upgrade(a, next).catch(codeOf)).toBe("ERR_NOT_AN_ACTOR");
});
