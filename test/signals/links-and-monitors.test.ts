import type { ExitReason } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Log from "../fixtures/log.actor.js";
import type Watcher from "../fixtures/watcher.actor.js";
import { fixture, testSystem } from "../support/system.js";

async function watchers() {
  const system = await testSystem({ intensity: 100 });
  const log = await system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
  const start = (id: string, trap = false, name?: string) =>
    system.startChild<typeof Watcher>({
      id,
      actor: fixture("watcher"),
      args: { log, trap },
      restart: "temporary",
      ...(name === undefined ? {} : { name }),
    });
  const exitOf = (id: string) =>
    new Promise<ExitReason>((resolve) => {
      system.on("actor_exited", (event) => {
        if (event.id === `root/${id}`) resolve(event.reason);
      });
    });
  return { system, log, start, exitOf };
}

// Promise: monitors-go-way-stack
test("[mon_1] a monitor delivers DOWN with the exit reason, once for each monitor", async () => {
  const { log, start } = await watchers();
  const [a, b] = [await start("a"), await start("b")];
  const first = await a.call("monitor", b);
  const second = await a.call("monitor", b);
  await b.cast("crash");
  const down = { type: "DOWN", id: "root/b", kind: "error" };
  expect(await log.call("untilCount", 2)).toEqual([
    { ...down, monitor: first },
    { ...down, monitor: second },
  ]);
});

// Promise: monitor-actor-does-run
test("[mon_1] a monitor on an actor that has ended delivers DOWN with noproc at once", async () => {
  const { system, log, start } = await watchers();
  const [a, b] = [await start("a"), await start("b")];
  await system.terminateChild("b");
  const monitor = await a.call("monitor", b);
  expect(await log.call("untilCount", 1)).toEqual([{ type: "DOWN", id: "root/b", kind: "noproc", monitor }]);
});

// Promise: demonitor-down-comes
test("[demon_2] after demonitor no DOWN comes", async () => {
  const { log, start } = await watchers();
  const [a, b, c] = [await start("a"), await start("b"), await start("c")];
  await a.call("demonitor", await a.call("monitor", b));
  const monitor = await a.call("monitor", c);
  await b.cast("crash");
  await b.call("incarnation").catch(() => {});
  await c.cast("crash");
  expect(await log.call("untilCount", 1)).toEqual([{ type: "DOWN", id: "root/c", kind: "error", monitor }]);
});

test("[demon_2] main can monitor an actor, and stop doing so", async () => {
  const { system, start } = await watchers();
  const [a, b] = [await start("a"), await start("b")];
  system.monitor(a, () => expect.unreachable("the monitor was taken off"))();
  const down = new Promise((resolve) => system.monitor(a, resolve));
  await a.cast("crash");
  expect(await down).toMatchObject({ type: "DOWN", id: "root/a", ref: a, reason: { kind: "error" } });
  await system.terminateChild("b");
  expect(await new Promise((resolve) => system.monitor(b, resolve))).toMatchObject({ reason: { kind: "noproc" } });
});

// Promise: whoever-saw-child-s
test("a process that saw a DOWN finds the supervisor past it", async () => {
  const { system, start } = await watchers();
  const a = await start("a");
  const children = new Promise((resolve) => system.monitor(a, () => resolve(system.child("a"))));
  await a.cast("crash");
  expect(await children).toBeUndefined();
});

// Promise: normal-does-propagate-any
test("[links] a crash takes the linked actor along, with reason linked, whichever of the two made the link", async () => {
  const { start, exitOf } = await watchers();
  const [a, b, c] = [await start("a"), await start("b"), await start("c")];
  await a.call("link", b);
  await c.call("link", a);
  const exits = Promise.all([exitOf("b"), exitOf("c")]);
  await a.cast("crash");
  expect(await exits).toMatchObject([
    { kind: "linked", id: "root/a", reason: { kind: "error" } },
    { kind: "linked", id: "root/a", reason: { kind: "error" } },
  ]);
});

// Promise: normal-does-propagate-any
test("a normal exit does not take the linked actor along", async () => {
  const { system, start, exitOf } = await watchers();
  const [a, b] = [await start("a"), await start("b")];
  await a.call("link", b);
  const exit = exitOf("a");
  await a.cast("stop");
  expect(await exit).toEqual({ kind: "normal" });
  expect(await b.call("incarnation")).toBe(1);
  expect(system.child("b")).toBe(b);
});

test("[unlink_exit] after unlink a crash takes nobody along", async () => {
  const { start, exitOf } = await watchers();
  const [a, b] = [await start("a"), await start("b")];
  await a.call("link", b);
  await b.call("unlink", a);
  const exit = exitOf("a");
  await a.cast("crash");
  await exit;
  expect(await b.call("incarnation")).toBe(1);
});

// Promise: normal-does-propagate-any
test("[links] an actor that traps exits gets EXIT as a message and lives", async () => {
  const { log, start } = await watchers();
  const [a, b] = [await start("a", true), await start("b")];
  await a.call("link", b);
  await b.cast("crash");
  expect(await log.call("untilCount", 1)).toEqual([{ type: "EXIT", id: "root/b", kind: "error" }]);
  expect(await a.call("incarnation")).toBe(1);
});

// Promise: link-actor-ended-exit
test("a link to an actor that has ended is an exit signal noproc", async () => {
  const { system, log, start, exitOf } = await watchers();
  const [trapping, plain, gone] = [await start("trapping", true), await start("plain"), await start("gone")];
  await system.terminateChild("gone");
  const exit = exitOf("plain");
  await trapping.cast("link", gone);
  await plain.cast("link", gone);
  expect(await exit).toEqual({ kind: "noproc" });
  expect(await log.call("untilCount", 1)).toMatchObject([{ type: "EXIT", kind: "noproc" }]);
});

// Promise: kill-cannot-trapped-killed
test("[kill2killed] kill cannot be trapped, and is killed for the partners, who can trap that", async () => {
  const { log, start, exitOf } = await watchers();
  const [a, b, killer] = [await start("a", true), await start("b", true), await start("killer")];
  await a.call("link", b);
  const exit = exitOf("b");
  await killer.cast("exit", b, "kill");
  expect(await exit).toEqual({ kind: "killed" });
  expect(await log.call("untilCount", 1)).toEqual([{ type: "EXIT", id: "root/b", kind: "killed" }]);
});

test("[t_exit_2_other] an exit signal with another reason can be trapped", async () => {
  const { system, log, start } = await watchers();
  const a = await start("a", true);
  system.exit(a, { kind: "shutdown", detail: "please" });
  expect(await log.call("untilCount", 1)).toMatchObject([{ type: "EXIT", kind: "shutdown" }]);
});

// Promise: links-monitors-belong-incarnation
test("[list_cleanup] links and monitors end with the incarnation that made them", async () => {
  const { system, log, start, exitOf } = await watchers();
  const a = await start("a");
  const b = await system.startChild<typeof Watcher>({ id: "b", actor: fixture("watcher"), args: { log } });
  await b.call("link", a);
  await b.call("monitor", a);
  await b.call("unlink", a);
  await b.cast("crash");
  expect(await b.call("incarnation")).toBe(2);
  const exit = exitOf("a");
  await a.cast("crash");
  await exit;
  expect(await b.call("incarnation")).toBe(2);
  expect(await log.call("entries")).toEqual([]);
});

test("[info] a message sent with send arrives in info", async () => {
  const { log, start } = await watchers();
  const a = await start("a");
  await a.send({ hello: 1 });
  expect(await log.call("untilCount", 1)).toEqual([{ message: { hello: 1 } }]);
});

// Promise: name-points-slot-survives
test("a registered actor is found by its name from main and from another actor, also after a restart", async () => {
  const { system, log } = await watchers();
  const spec = { actor: fixture("watcher"), args: { log } };
  const a = await system.startChild<typeof Watcher>({ id: "a", name: "alice", ...spec });
  const b = await system.startChild<typeof Watcher>({ id: "b", ...spec });
  await a.cast("crash");
  expect(system.whereis("alice")).toBe(a);
  expect((await b.call("find", "alice"))?.id).toBe("root/a");
  expect(await b.call("find", "nobody")).toBeUndefined();
});

test("[start] a name that is taken fails the start with ERR_NAME_TAKEN, and is free once its actor has ended", async () => {
  const { system, start, exitOf } = await watchers();
  const a = await start("a", false, "alice");
  expect(await start("b", false, "alice").catch((e: unknown) => e)).toMatchObject({ code: "ERR_NAME_TAKEN" });
  expect(system.child("b")).toBeUndefined();
  const exit = exitOf("a");
  await a.cast("stop");
  await exit;
  const b = await start("b", false, "alice");
  expect(system.whereis("alice")).toBe(b);
});

// Promise: reference-actor-gone-means
test("a reference to an actor that is gone means none that is there, whatever that is called", async () => {
  const { system, log, start, exitOf } = await watchers();
  const [a, gone] = [await start("a", true), await start("b")];
  await system.terminateChild("b");
  await start("b (gone)");
  const b = await start("b");
  const monitor = await a.call("monitor", gone);
  await a.call("link", gone);
  expect(await log.call("untilCount", 2)).toEqual([
    { type: "DOWN", id: "root/b", kind: "noproc", monitor },
    { type: "EXIT", id: "root/b", kind: "noproc" },
  ]);
  await a.call("link", b);
  await a.call("trap", false);
  await a.call("unlink", gone);
  const ended = exitOf("a");
  await b.cast("crash");
  expect(await ended).toMatchObject({ kind: "linked", id: "root/b" });
});
