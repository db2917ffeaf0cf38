import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StopOutcome, StopRequest } from "#runtime/supervision/child.js";
import { dynamicSupervisor, supervisor } from "#runtime/supervision/child-spec.js";
import { shareOf } from "#runtime/supervision/stop-budget.js";
import type { SupervisorRef } from "#runtime/supervision/supervisor-ref.js";
import { BOOM, type FakeTree, startTree, stopReport, worker } from "./fake-tree.js";

const SHUTDOWN: ExitReason = { kind: "shutdown" };

/** Asks the root to stop, and does not wait. */
function askToStop(tree: FakeTree, request: Partial<StopRequest> = {}): Promise<StopOutcome> {
  return tree.root.stop({ reason: SHUTDOWN, shutdown: "infinity", restarting: false, ...request });
}

describe("stopping a supervisor", () => {
  // Promise: brutal-kill-kills-once-infinity
  test("[sup_stop_infinity] a child with shutdown infinity is waited for, however long it takes", async () => {
    const tree = await startTree({ children: [worker("a"), worker("b", { shutdown: "infinity" })] });
    tree.at("b").stopPlan = { afterMs: 3_600_000 };
    const stopped = askToStop(tree);
    await tree.clock.advance(3_599_999);
    expect(tree.states()).toEqual(["a:running", "b:running"]);
    await tree.clock.advance(1);
    expect(stopReport(await stopped)["root/b"]).toMatchObject({ killed: false, reason: SHUTDOWN });
  });

  // Promise: child-asked-shutdown-end
  test("[sup_stop_timeout] a child that does not stop in time is killed, and the others still stop in order", async () => {
    const tree = await startTree({ children: [worker("a", { shutdown: 1_000 }), worker("b", { shutdown: 1_000 })] });
    tree.at("b").stopPlan = { afterMs: 200_000 };
    const stopped = askToStop(tree);
    await tree.clock.advance(1_000);
    const report = stopReport(await stopped);
    expect(report["root/b"]).toMatchObject({ killed: true, reason: { kind: "killed" } });
    expect(report["root/a"]).toMatchObject({ killed: false, reason: SHUTDOWN });
    expect(tree.takeTrace()).toEqual(["stop b", "killed b", "stop a", "stopped a"]);
  });

  // Promise: brutal-kill-kills-once-infinity
  test("[sup_stop_brutal_kill] a child with brutal_kill is killed without being asked", async () => {
    const tree = await startTree({ children: [worker("a"), worker("b", { shutdown: "brutal_kill" })] });
    await tree.stop();
    expect(tree.takeTrace()).toEqual(["stop b", "killed b", "stop a", "stopped a"]);
  });

  test("[sup_stop_race] children that end by themselves meanwhile do not disturb it", async () => {
    const restarts = ["temporary", "transient", "permanent"] as const;
    const reasons: ExitReason[] = [{ kind: "normal" }, SHUTDOWN, { kind: "shutdown", detail: "test" }, BOOM];
    const racing = restarts.flatMap((restart) =>
      reasons.map((reason, i) => ({ id: `${restart}${i}`, restart, reason })),
    );
    const tree = await startTree({
      children: [worker("a"), ...racing.map(({ id, restart }) => worker(id, { restart })), worker("z")],
    });
    tree.at("z").stopPlan = { afterMs: 1_000 };
    const stopped = askToStop(tree);
    await tree.settle();
    for (const { id, reason } of racing) await tree.exit(id, reason);
    await tree.clock.advance(1_000);
    const report = stopReport(await stopped);
    for (const { id, reason } of racing) expect(report[`root/${id}`].reason).toEqual(reason);
    expect(report["root/a"].reason).toEqual(SHUTDOWN);
    expect(tree.exitReason).toBeNull();
    expect(tree.takeTrace().filter((line) => line.startsWith("start "))).toEqual([]);
  });

  test("is idempotent: a second call joins the first", async () => {
    const tree = await startTree({ children: [worker("a")] });
    tree.at("a").stopPlan = { afterMs: 10 };
    const both = [askToStop(tree), askToStop(tree)];
    await tree.clock.advance(10);
    const [first, second] = await Promise.all(both);
    expect(second).toBe(first);
    expect((await askToStop(tree)).children ?? []).toEqual([]);
  });

  test("works in the middle of a restart", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: [worker("a"), worker("b"), worker("c")] });
    tree.at("b").starts.push("hang");
    await tree.exit("a", BOOM);
    tree.takeTrace();
    await tree.stop();
    expect(tree.takeTrace()).toEqual(["stop b", "stopped b", "stop a", "stopped a"]);
    expect(tree.states()).toEqual(["a:stopped", "b:stopped", "c:stopped"]);
  });

  test("takes over the stops a restart had begun", async () => {
    const tree = await startTree({
      strategy: "one_for_all",
      children: [worker("a"), worker("b", { shutdown: "infinity" })],
    });
    tree.at("b").stopPlan = { afterMs: Infinity };
    await tree.exit("a", BOOM);
    const stopped = askToStop(tree, { deadlineAt: 500 });
    await tree.clock.advance(500);
    expect((await stopped).reason).toEqual(SHUTDOWN);
    expect(tree.takeTrace()).toEqual(["exit a", "stop b", "killed b"]);
  });

  test("that has given up already keeps its reason", async () => {
    const tree = await startTree({ intensity: 0, children: [worker("a"), worker("b")] });
    tree.at("a").stopPlan = { afterMs: 50 };
    await tree.exit("b", BOOM);
    const stopped = askToStop(tree);
    await tree.clock.advance(50);
    expect((await stopped).reason).toMatchObject({ detail: { kind: "reached_max_restart_intensity" } });
    expect(tree.exitReason).toBeNull();
  });

  test("leaves no timer behind", async () => {
    const tree = await startTree({ children: [worker("a"), worker("b", { backoff: { minMs: 100 } })] });
    await tree.exit("b", BOOM);
    await tree.stop({ deadlineAt: 60_000 });
    expect(tree.clock.pendingTimers).toBe(0);
  });

  test("tells the children why", async () => {
    const reason: ExitReason = { kind: "shutdown", detail: "deploy" };
    const tree = await startTree({ children: [supervisor({ id: "s", children: [worker("w")] })] });
    expect((await tree.stop({ reason })).reason).toEqual(reason);
    expect(tree.at("s/w").lastStop?.reason).toEqual(reason);
    expect(tree.reports.filter((report) => "context" in report)).toEqual([]);
  });

  test("answers every startChild and restartChild that waits", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: [worker("a"), worker("b")] });
    await tree.ref.terminateChild("a");
    await tree.ref.terminateChild("b");
    tree.plans.set("root/a", "hang");
    const waiting = [tree.ref.restartChild("a"), tree.ref.restartChild("b"), tree.ref.startChild(worker("c"))];
    const settled = Promise.allSettled(waiting);
    await tree.settle();
    await tree.stop();
    for (const result of await settled) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "ERR_SYSTEM_STOPPED" } });
    }
  });

  test("sums up what became of the tree, child by child", async () => {
    const tree = await startTree({
      children: [worker("a"), supervisor({ id: "s", children: [worker("w"), worker("v")] })],
    });
    tree.at("s/v").leaves = { drained: 3, dropped: 2, zombie: true };
    tree.at("a").leaves = { drained: 4 };
    const outcome = await tree.stop();
    expect(outcome).toMatchObject({ drained: 7, dropped: 2, killed: false, zombie: true });
    expect(outcome.children?.map(({ id }) => id)).toEqual(["root/s", "root/a"]);
    expect(outcome.children?.[0]).toMatchObject({ drained: 3, dropped: 2, zombie: true });
    expect(outcome.children?.[0].children?.map(({ id }) => id)).toEqual(["root/s/v", "root/s/w"]);
  });
});

describe("once the tree is stopping", () => {
  test("every supervisor in it refuses administration with ERR_SYSTEM_STOPPED", async () => {
    const tree = await startTree({ children: [supervisor({ id: "s", children: [worker("w")] }), worker("slow")] });
    const s = tree.ref.child("s") as SupervisorRef;
    tree.at("slow").stopPlan = { afterMs: 10 };
    const stopped = askToStop(tree);
    await tree.settle();
    const calls = (ref: SupervisorRef) => [
      ref.startChild(worker("x")),
      ref.terminateChild("w"),
      ref.restartChild("w"),
      ref.deleteChild("w"),
    ];
    for (const call of [...calls(tree.ref), ...calls(s)]) {
      await expect(call).rejects.toMatchObject({ code: "ERR_SYSTEM_STOPPED" });
    }
    await tree.clock.advance(10);
    await stopped;
    await expect(s.startChild(worker("x"))).rejects.toMatchObject({ code: "ERR_SYSTEM_STOPPED" });
    expect(tree.states()).toEqual(["s:stopped", "slow:stopped"]);
  });

  test("so it is after the root gave up", async () => {
    const tree = await startTree({ intensity: 0, children: [worker("a")] });
    await tree.exit("a", BOOM);
    await expect(tree.ref.startChild(worker("b"))).rejects.toMatchObject({ code: "ERR_SYSTEM_STOPPED" });
  });
});

describe("a deadline for the whole tree", () => {
  // Promise: stop-timeoutms-deadline-whole
  test("is held although every child would hang", async () => {
    const hanging = (id: string) => worker(id, { shutdown: "infinity" });
    const tree = await startTree({
      children: [
        hanging("a"),
        supervisor({
          id: "s",
          children: [hanging("w"), supervisor({ id: "t", children: [hanging("x"), hanging("y")] })],
        }),
        dynamicSupervisor({ id: "d" }),
        hanging("b"),
      ],
    });
    await (tree.ref.child("d") as SupervisorRef).startChild(hanging("e"));
    for (const child of tree.children.values()) child.stopPlan = { afterMs: Infinity };
    const stopped = askToStop(tree, { deadlineAt: 1_000 });
    let endedAt = 0;
    void stopped.then(() => (endedAt = tree.clock.now()));
    await tree.clock.advance(2_000);
    expect(endedAt).toBe(1_000);
    expect((await stopped).killed).toBe(true);
  });

  test("gives every child its share, so that one that hangs does not cost the others their chance", async () => {
    const children = ["a", "b", "c", "d"].map((id) => worker(id, { shutdown: 5_000 }));
    const tree = await startTree({ children });
    tree.at("d").stopPlan = { afterMs: Infinity };
    for (const id of ["a", "b", "c"]) tree.at(id).stopPlan = { afterMs: 200 };
    const stopped = askToStop(tree, { deadlineAt: 1_000 });
    await tree.clock.advance(1_000);
    const report = stopReport(await stopped);
    expect(["d", "c", "b", "a"].map((id) => report[`root/${id}`].killed)).toEqual([true, false, false, false]);
  });

  test("does not press anyone while there is time enough for all", async () => {
    const tree = await startTree({ children: [worker("a", { shutdown: 1_000 }), worker("b", { shutdown: 5_000 })] });
    tree.at("b").stopPlan = { afterMs: 4_900 };
    const stopped = askToStop(tree, { deadlineAt: 6_000 });
    await tree.clock.advance(6_000);
    expect(stopReport(await stopped)["root/b"].killed).toBe(false);
  });

  test("is divided by what the children of a nested supervisor need", async () => {
    const tree = await startTree({
      children: [worker("a"), supervisor({ id: "s", children: ["w", "x", "y"].map((id) => worker(id)) })],
    });
    for (const child of tree.children.values()) child.stopPlan = { afterMs: 990 };
    const stopped = askToStop(tree, { deadlineAt: 4_000 });
    await tree.clock.advance(4_000);
    expect((await stopped).killed).toBe(false);
  });

  test("can be drawn in while it is running", async () => {
    const tree = await startTree({ children: [worker("a", { shutdown: "infinity" })] });
    tree.at("a").stopPlan = { afterMs: Infinity };
    const first = askToStop(tree);
    await tree.clock.advance(5_000);
    const second = askToStop(tree, { deadlineAt: 6_000 });
    await tree.clock.advance(1_000);
    expect(await second).toBe(await first);
    expect((await first).killed).toBe(true);
  });

  test("that is later than a child's own changes nothing for a stop that is under way", async () => {
    const tree = await startTree({ children: [worker("a", { shutdown: 5_000 })] });
    tree.at("a").stopPlan = { afterMs: Infinity };
    void tree.ref.terminateChild("a");
    await tree.clock.advance(4_000);
    const stopped = askToStop(tree, { deadlineAt: 60_000 });
    await tree.clock.advance(1_000);
    expect(stopReport(await stopped)["root/a"].killed).toBe(true);
  });

  test("is forgotten when the supervisor is started again", async () => {
    const nested = supervisor({
      id: "s",
      strategy: "one_for_all",
      shutdown: 300,
      children: [worker("w"), worker("x", { shutdown: "infinity" })],
    });
    const tree = await startTree({ children: [nested] });
    await tree.ref.terminateChild("s");
    await tree.ref.restartChild("s");
    await tree.clock.advance(1_000);
    tree.at("s/x").stopPlan = { afterMs: 400 };
    await tree.exit("s/w", BOOM);
    await tree.clock.advance(400);
    expect(tree.takeTrace()).not.toContain("killed s/x");
    expect(tree.states(tree.ref.child("s") as SupervisorRef)).toEqual(["w:running", "x:running"]);
  });

  test("can be put to an end at once: everything left is killed together", async () => {
    const tree = await startTree({
      children: [worker("a"), supervisor({ id: "s", children: [worker("w"), worker("x")] }), worker("b")],
    });
    for (const child of tree.children.values()) child.stopPlan = { afterMs: Infinity };
    const stopped = askToStop(tree);
    await tree.clock.advance(100);
    await askToStop(tree, { shutdown: "brutal_kill" });
    expect(tree.clock.now()).toBe(100);
    expect((await stopped).children?.map(({ killed }) => killed)).toEqual([true, true, true]);
  });

  test("that a nested supervisor has by its own shutdown is held to", async () => {
    const tree = await startTree({
      children: [supervisor({ id: "s", shutdown: 300, children: [worker("w"), worker("x")] })],
    });
    for (const child of tree.children.values()) child.stopPlan = { afterMs: Infinity };
    const terminated = tree.ref.terminateChild("s");
    await tree.clock.advance(300);
    await terminated;
    expect(tree.takeTrace()).toEqual(["stop s/x", "killed s/x", "stop s/w", "killed s/w"]);
  });

  test("that a supervisor with brutal_kill leaves is none", async () => {
    const tree = await startTree({
      children: [supervisor({ id: "s", shutdown: "brutal_kill", children: [worker("w"), worker("x")] })],
    });
    await tree.ref.terminateChild("s");
    expect(tree.takeTrace()).toEqual(["stop s/x", "killed s/x", "stop s/w", "killed s/w"]);
    expect(tree.clock.now()).toBe(0);
  });
});

describe("the division of the time left", () => {
  const ms = fc.nat(10_000);
  const sum = (demands: number[]) => demands.reduce((total, demand) => total + demand, 0);

  test("none gets more than is left, or than it asked for", () => {
    fc.assert(
      fc.property(fc.nat(10_000), ms, fc.array(ms), (remaining, demand, others) => {
        const share = shareOf(remaining, demand, sum(others));
        expect(share).toBeLessThanOrEqual(Math.min(remaining, demand) + 1e-6);
        expect(share).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  // Promise: stop-timeoutms-deadline-whole
  test("all together never get more than is left, even if each uses up its share", () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.array(ms), (total, demands) => {
        let remaining = total;
        demands.forEach((demand, i) => {
          remaining -= shareOf(remaining, demand, sum(demands.slice(i + 1)));
        });
        expect(remaining).toBeGreaterThanOrEqual(-1e-6);
      }),
    );
  });

  test("a child that asks for something gets something", () => {
    expect(shareOf(1_000, 5_000, 15_000)).toBe(250);
    expect(shareOf(1_000, 0, 5_000)).toBe(0);
    expect(shareOf(0, 5_000, 5_000)).toBe(0);
    expect(shareOf(-1e-13, 0, 0)).toBe(0);
  });
});
