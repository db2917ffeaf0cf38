import type { ActorRef, ExitReason } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import type Watcher from "../fixtures/watcher.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture } from "../support/system.js";
import type Member from "./fixtures/member.actor.js";
import { actor, lightMembers } from "./members.js";

// That links and exit signals work as for any actor is tested, in all modes, by signals/links-and-monitors.
async function members(count = 1) {
  const light = await lightMembers({ threads: { count, place: "round_robin" }, system: { intensity: 100 } });
  const { system } = light;
  const own = (id: string) => system.startChild<typeof Member>({ id, actor, restart: "temporary" });
  const exitOf = (ref: ActorRef): Promise<ExitReason> =>
    new Promise((resolve) => system.monitor(ref, ({ reason }) => resolve(reason)));
  /** Main has done what these have asked of it, and their threads what main has told them: ports of two threads have no order. */
  const settled = (...refs: ActorRef[]) => Promise.all(refs.map((ref) => system.getState(ref)));
  return { ...light, own, exitOf, settled };
}

test("a chain of links as long as a partition ends, and all of it names where it began", async () => {
  const { supervisor, exitOf } = await members();
  const refs: ActorRef<typeof Member>[] = await supervisor.startChildren(Array.from({ length: 10_000 }, () => ({})));
  await Promise.all(refs.slice(1).map((ref, i) => ref.call("link", refs[i])));
  const last = exitOf(refs[9_999]);
  await refs[0].cast("crash", "first");
  expect(await last).toMatchObject({ kind: "linked", id: refs[0].id, reason: { kind: "error" } });
  await eventually(() => supervisor.countChildren().active === 0);
  expect(supervisor.partitions()[0].ended).toMatchObject({ error: 1, linked: 9_999 });
});

test("a member that links and ends before main has heard of the link takes its partner along", async () => {
  const { start, own, exitOf } = await members(2);
  for (const partner of [await own("own"), await start("a"), await start("b")]) {
    const ended = exitOf(partner);
    const member = await start("member");
    await member.cast("linkAndCrash", partner);
    expect(await ended).toMatchObject({ kind: "linked", id: member.id, reason: { kind: "error" } });
  }
});

test("the end of a partition is an exit signal to those that are linked to its members", async () => {
  const { start, own, exitOf, settled } = await members(2);
  const [a, b, trapping, plain] = [await start("a"), await start("b"), await own("trapping"), await own("plain")];
  const near = await start("near");
  await trapping.call("trap", true);
  await Promise.all([trapping.call("link", a), plain.call("link", a), a.call("link", b)]);
  await settled(trapping, plain, a, b);
  await settled(b);
  const ends = Promise.all([exitOf(plain), exitOf(b)]);
  void near.cast("exit", 3);
  const partitionEnded = { kind: "partition_ended", reason: { kind: "exit_called", code: 3 } };
  expect(await ends).toMatchObject([
    { kind: "linked", id: a.id, reason: partitionEnded },
    { kind: "linked", id: a.id, reason: partitionEnded },
  ]);
  await eventually(async () => (await trapping.call("told")).join() === "EXIT a partition_ended");
});

test("an exit signal names the member that sent it, to a sibling, another partition and a thread of its own", async () => {
  const { system, start, own, settled } = await members(2);
  const sender = await start("sender");
  const alone = await own("own");
  for (const other of [await start("far"), await start("near"), alone]) {
    await other.call("trap", true);
    await settled(alone, other, sender);
    await sender.call("signal", other, { kind: "shutdown", detail: "please" });
    await sender.call("signal", other, { kind: "normal" });
    await eventually(async () => (await other.call("told")).length === 2);
    expect(await other.call("told")).toEqual(["EXIT sender shutdown", "EXIT sender normal"]);
    system.exit(other, { kind: "shutdown" });
    await eventually(async () => (await other.call("told")).length === 3);
    expect((await other.call("told"))[2]).toBe("EXIT main thread shutdown");
    expect((await other.call("from")).map((ref) => ref?.id)).toEqual([sender.id, sender.id, undefined]);
  }
});

test("what a member is told of another's end is a copy: two watchers share no error", async () => {
  const { start } = await members();
  const [a, b, c] = [await start("a"), await start("b"), await start("c")];
  await b.call("monitor", a);
  await c.call("trap", true);
  await c.call("link", a);
  await a.cast("crash", "once");
  await eventually(async () => (await b.call("told")).length + (await c.call("told")).length === 2);
  await b.call("changeError", "changed");
  expect(await b.call("errorTold")).toBe("changed");
  expect(await c.call("errorTold")).toBe("once");
});

test("an actor with a thread of its own that unlinks, or stops trapping, does so for light partners too", async () => {
  const { system, start, exitOf, settled } = await members();
  const log = await system.startChild({ id: "log", actor: fixture("log") });
  const watcher = await system.startChild<typeof Watcher>({
    id: "watcher",
    actor: fixture("watcher"),
    args: { log, trap: true } as never,
    restart: "temporary",
  });
  const [a, b] = [await start("a"), await start("b")];
  await watcher.call("link", a);
  await watcher.call("unlink", a);
  await settled(watcher, a);
  const gone = exitOf(a);
  await a.cast("crash", "unlinked");
  await gone;
  await watcher.call("link", b);
  await watcher.call("trap", false);
  await settled(watcher, b);
  const ended = exitOf(watcher);
  await b.cast("crash", "linked");
  expect(await ended).toMatchObject({ kind: "linked", id: b.id });
  expect(await (log as ActorRef<any>).call("entries")).toEqual([]);
});
