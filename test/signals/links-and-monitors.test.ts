import { describe, expect, test } from "vitest";
import type Log from "../fixtures/log.actor.js";
import type Watcher from "../fixtures/watcher.actor.js";
import { ALL_MODES, actorsIn, KINDS, LIGHT_MODES, type Mode } from "../support/modes.js";
import { ofPart } from "../support/part.js";
import { fixture } from "../support/system.js";

async function watchers(mode: Mode) {
  const actors = await actorsIn(mode);
  const log = await actors.system.startChild<typeof Log>({ id: "log", actor: fixture("log") });
  const start = (id: string, trap = false, more: { readonly name?: string } = {}) =>
    actors.start<typeof Watcher>({ id, actor: fixture("watcher"), args: { log, trap }, ...more });
  return { ...actors, log, start };
}

describe.each(ofPart(KINDS, LIGHT_MODES.slice(1, 3), ALL_MODES))("%s", (mode) => {
  // Promise: monitors-go-way-stack
  test("[mon_1] a monitor delivers DOWN with the exit reason, once for each monitor", async () => {
    const { log, start, ask } = await watchers(mode);
    const [a, b] = [await start("a"), await start("b")];
    const first = await ask(a, "monitor", b);
    const second = await ask(a, "monitor", b);
    await b.cast("crash");
    const down = { type: "DOWN", id: b.id, kind: "error" };
    expect(await log.call("untilCount", 2)).toEqual([
      { ...down, monitor: first },
      { ...down, monitor: second },
    ]);
  });

  // Promise: monitor-actor-does-run
  test("[mon_1] a monitor on an actor that has ended delivers DOWN with noproc at once", async () => {
    const { log, start, terminate, ask } = await watchers(mode);
    const [a, b] = [await start("a"), await start("b")];
    await terminate(b);
    const monitor = await ask(a, "monitor", b);
    expect(await log.call("untilCount", 1)).toEqual([{ type: "DOWN", id: b.id, kind: "noproc", monitor }]);
  });

  // Promise: demonitor-down-comes
  test("[demon_2] after demonitor no DOWN comes", async () => {
    const { log, start, ask } = await watchers(mode);
    const [a, b, c] = [await start("a"), await start("b"), await start("c")];
    await ask(a, "demonitor", await ask(a, "monitor", b));
    const monitor = await ask(a, "monitor", c);
    await b.cast("crash");
    await b.call("incarnation").catch(() => {});
    await c.cast("crash");
    expect(await log.call("untilCount", 1)).toEqual([{ type: "DOWN", id: c.id, kind: "error", monitor }]);
  });

  test("[demon_2] main can monitor an actor, and stop doing so", async () => {
    const { system, start, terminate } = await watchers(mode);
    const [a, b] = [await start("a"), await start("b")];
    system.monitor(a, () => expect.unreachable("the monitor was taken off"))();
    const down = new Promise((resolve) => system.monitor(a, resolve));
    await a.cast("crash");
    expect(await down).toMatchObject({ type: "DOWN", id: a.id, ref: a, reason: { kind: "error" } });
    await terminate(b);
    expect(await new Promise((resolve) => system.monitor(b, resolve))).toMatchObject({ reason: { kind: "noproc" } });
  });

  // Promise: watcher-saw-child-s-down
  test("a process that saw a DOWN finds the supervisor past it", async () => {
    const { system, start, find } = await watchers(mode);
    const a = await start("a");
    const children = new Promise((resolve) => system.monitor(a, () => resolve(find(a))));
    await a.cast("crash");
    expect(await children).toBeUndefined();
  });

  // Promise: normal-does-propagate-any
  test("[links] a crash takes the linked actor along, with reason linked, whichever of the two made the link", async () => {
    const { start, exitOf, ask } = await watchers(mode);
    const [a, b, c] = [await start("a"), await start("b"), await start("c")];
    await ask(a, "link", b);
    await ask(c, "link", a);
    const exits = Promise.all([exitOf(b), exitOf(c)]);
    await a.cast("crash");
    expect(await exits).toMatchObject([
      { kind: "linked", id: a.id, reason: { kind: "error" } },
      { kind: "linked", id: a.id, reason: { kind: "error" } },
    ]);
  });

  // Promise: normal-does-propagate-any
  test("a normal exit does not take the linked actor along", async () => {
    const { start, find, exitOf, ask } = await watchers(mode);
    const [a, b] = [await start("a"), await start("b")];
    await ask(a, "link", b);
    const exit = exitOf(a);
    await a.cast("stop");
    expect(await exit).toEqual({ kind: "normal" });
    expect(await b.call("incarnation")).toBe(1);
    expect(find(b)).toMatchObject({ id: b.id, uid: b.uid });
  });

  test("[unlink_exit] after unlink a crash takes none along", async () => {
    const { start, exitOf, ask } = await watchers(mode);
    const [a, b] = [await start("a"), await start("b")];
    await ask(a, "link", b);
    await ask(b, "unlink", a);
    const exit = exitOf(a);
    await a.cast("crash");
    await exit;
    expect(await b.call("incarnation")).toBe(1);
  });

  // Promise: normal-does-propagate-any
  test("[links] an actor that traps exits gets EXIT as a message and lives", async () => {
    const { log, start, ask } = await watchers(mode);
    const [a, b] = [await start("a", true), await start("b")];
    await ask(a, "link", b);
    await b.cast("crash");
    expect(await log.call("untilCount", 1)).toEqual([{ type: "EXIT", id: b.id, kind: "error" }]);
    expect(await a.call("incarnation")).toBe(1);
  });

  // Promise: link-actor-ended-exit
  test("a link to an actor that has ended is an exit signal noproc", async () => {
    const { log, start, exitOf, terminate } = await watchers(mode);
    const [trapping, plain, gone] = [await start("trapping", true), await start("plain"), await start("gone")];
    await terminate(gone);
    const exit = exitOf(plain);
    await trapping.cast("link", gone);
    await plain.cast("link", gone);
    expect(await exit).toEqual({ kind: "noproc" });
    expect(await log.call("untilCount", 1)).toMatchObject([{ type: "EXIT", kind: "noproc" }]);
  });

  // Promise: kill-cannot-trapped-killed
  test("[kill2killed] kill cannot be trapped, and is killed for the partners, who can trap that", async () => {
    const { log, start, exitOf, ask } = await watchers(mode);
    const [a, b, killer] = [await start("a", true), await start("b", true), await start("killer")];
    await ask(a, "link", b);
    const exit = exitOf(b);
    await killer.cast("exit", b, "kill");
    expect(await exit).toEqual({ kind: "killed" });
    expect(await log.call("untilCount", 1)).toEqual([{ type: "EXIT", id: b.id, kind: "killed" }]);
  });

  test("[t_exit_2_other] an exit signal with another reason can be trapped", async () => {
    const { system, log, start } = await watchers(mode);
    const a = await start("a", true);
    system.exit(a, { kind: "shutdown", detail: "please" });
    expect(await log.call("untilCount", 1)).toMatchObject([{ type: "EXIT", kind: "shutdown" }]);
  });

  test("[info] a message sent with send arrives in info", async () => {
    const { log, start } = await watchers(mode);
    const a = await start("a");
    await a.send({ hello: 1 });
    expect(await log.call("untilCount", 1)).toEqual([{ message: { hello: 1 } }]);
  });

  // Promise: reference-actor-gone-means
  test("a reference to an actor that is gone means none that is there, whatever that is called", async () => {
    const { log, start, exitOf, terminate, ask } = await watchers(mode);
    const [a, gone] = [await start("a", true), await start("b")];
    await terminate(gone);
    await start("b (gone)");
    const b = await start("b");
    const monitor = await ask(a, "monitor", gone);
    await ask(a, "link", gone);
    expect(await log.call("untilCount", 2)).toEqual([
      { type: "DOWN", id: b.id, kind: "noproc", monitor },
      { type: "EXIT", id: b.id, kind: "noproc" },
    ]);
    await ask(a, "link", b);
    await ask(a, "trap", false);
    await ask(a, "unlink", gone);
    const ended = exitOf(a);
    await b.cast("crash");
    expect(await ended).toMatchObject({ kind: "linked", id: b.id });
  });
});

// Restarts and names, see light/refusals.
// Promise: links-monitors-belong-incarnation
test("[list_cleanup] links and monitors end with the incarnation that made them", async () => {
  const { system, log, start, exitOf, ask } = await watchers("in threads of their own");
  const a = await start("a");
  const b = await system.startChild<typeof Watcher>({ id: "b", actor: fixture("watcher"), args: { log } });
  await ask(b, "link", a);
  await ask(b, "monitor", a);
  await ask(b, "unlink", a);
  await b.cast("crash");
  expect(await b.call("incarnation")).toBe(2);
  const exit = exitOf(a);
  await a.cast("crash");
  await exit;
  expect(await b.call("incarnation")).toBe(2);
  expect(await log.call("entries")).toEqual([]);
});

// Promise: name-points-slot-survives
test("a registered actor is found by its name from main and from another actor, also after a restart", async () => {
  const { system, log } = await watchers("in threads of their own");
  const spec = { actor: fixture("watcher"), args: { log } };
  const a = await system.startChild<typeof Watcher>({ id: "a", name: "alice", ...spec });
  const b = await system.startChild<typeof Watcher>({ id: "b", ...spec });
  await a.cast("crash");
  expect(system.whereis("alice")).toBe(a);
  expect((await b.call("find", "alice"))?.id).toBe("root/a");
  expect(await b.call("find", "nobody")).toBeUndefined();
});

test("[start] a name that is taken fails the start with ERR_NAME_TAKEN, and is free once its actor has ended", async () => {
  const { system, start, exitOf } = await watchers("in threads of their own");
  const a = await start("a", false, { name: "alice" });
  expect(await start("b", false, { name: "alice" }).catch((e: unknown) => e)).toMatchObject({ code: "ERR_NAME_TAKEN" });
  expect(system.child("b")).toBeUndefined();
  const exit = exitOf(a);
  await a.cast("stop");
  await exit;
  const b = await start("b", false, { name: "alice" });
  expect(system.whereis("alice")).toBe(b);
});
