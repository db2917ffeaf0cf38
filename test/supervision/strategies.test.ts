import { describe, expect, test } from "vitest";
import { supervisor } from "#runtime/supervision/child-spec.js";
import type { Strategy } from "#runtime/supervision/restart-strategy.js";
import { BOOM, FakeTree, startTree, worker } from "./fake-tree.js";

const ABC = [worker("a"), worker("b"), worker("c")];
const DEAD = { kind: "shutdown", detail: { kind: "reached_max_restart_intensity", id: "root/b", reason: BOOM } };

describe("one_for_one", () => {
  test("[one_for_one] only the child that failed is restarted, and too many restarts end the supervisor", async () => {
    const tree = await startTree({ intensity: 2, children: ABC });
    await tree.exit("b", BOOM);
    expect(tree.takeTrace()).toEqual(["exit b", "start b"]);
    await tree.exit("b", BOOM);
    expect(tree.exitReason).toBeNull();
    await tree.exit("b", BOOM);
    expect(tree.exitReason).toEqual(DEAD);
  });

  test("[one_for_one_escalation] a child that cannot be restarted takes the supervisor and its siblings down", async () => {
    const tree = await startTree({ intensity: 4, children: ABC });
    tree.plans.set("root/b", BOOM);
    await tree.exit("b", BOOM);
    expect(tree.takeTrace()).toEqual([
      "exit b",
      ...Array<string>(4).fill("start b"),
      ...["stop c", "stopped c", "stop a", "stopped a"],
    ]);
    expect(tree.exitReason).toEqual(DEAD);
  });

  test("children that fail together are restarted side by side: a slow one holds none up", async () => {
    const tree = await startTree({ children: ABC });
    tree.at("a").starts.push("hang");
    await tree.exit("a", BOOM);
    await tree.exit("b", BOOM);
    expect(tree.states()).toEqual(["a:restarting", "b:running", "c:running"]);
    tree.at("a").started();
    await tree.settle();
    expect(tree.states()).toEqual(["a:running", "b:running", "c:running"]);
  });
});

describe("one_for_all", () => {
  test("[one_for_all] all others are stopped in reverse order, then all are started in order", async () => {
    const tree = await startTree({ strategy: "one_for_all", intensity: 2, children: ABC });
    await tree.exit("a", BOOM);
    expect(tree.takeTrace()).toEqual([
      "exit a",
      ...["stop c", "stopped c", "stop b", "stopped b"],
      ...["start a", "start b", "start c"],
    ]);
    await tree.exit("b", BOOM);
    await tree.exit("b", BOOM);
    expect(tree.exitReason).toEqual(DEAD);
  });

  // Promise: failed-start-attempt-during
  test("[one_for_all_escalation] when a child fails to start again, every attempt counts, and the supervisor gives up", async () => {
    const tree = await startTree({ strategy: "one_for_all", intensity: 4, children: [worker("a"), worker("b")] });
    tree.plans.set("root/b", BOOM);
    await tree.exit("a", BOOM);
    expect(tree.takeTrace().filter((line) => line === "start b")).toHaveLength(4);
    expect(tree.exitReason).toEqual(DEAD);
    expect(tree.states()).toEqual(["a:stopped", "b:stopped"]);
  });

  // Promise: if-another-child-fails
  test("[one_for_all_other_child_fails_restart] a sibling that fails to start stops those already started, and all start again", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: [worker("a"), worker("b")] });
    tree.at("b").starts.push(BOOM);
    await tree.exit("a", BOOM);
    expect(tree.takeTrace()).toEqual([
      "exit a",
      ...["stop b", "stopped b", "start a", "start b"],
      ...["stop a", "stopped a", "start a", "start b"],
    ]);
    expect(tree.states()).toEqual(["a:running", "b:running"]);
  });

  // Promise: there-budget-supervisor-restart
  test("restarting many children costs one restart", async () => {
    const tree = await startTree({ strategy: "one_for_all", intensity: 1, children: ABC });
    await tree.exit("a", BOOM);
    expect(tree.exitReason).toBeNull();
    expect(tree.states()).toEqual(["a:running", "b:running", "c:running"]);
  });

  // Promise: one-for-all-stops-others-reverse
  test("what terminateChild had stopped is started again with the others", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: ABC });
    await tree.ref.terminateChild("b");
    tree.takeTrace();
    await tree.exit("a", BOOM);
    expect(tree.takeTrace()).toEqual(["exit a", "stop c", "stopped c", "start a", "start b", "start c"]);
  });

  test("a sibling that dies while it waits to be stopped costs nothing", async () => {
    const tree = await startTree({ strategy: "one_for_all", intensity: 1, children: ABC });
    tree.at("c").stopPlan = { afterMs: 10 };
    await tree.exit("a", BOOM);
    await tree.exit("b", BOOM);
    await tree.clock.advance(10);
    expect(tree.exitReason).toBeNull();
    expect(tree.states()).toEqual(["a:running", "b:running", "c:running"]);
  });

  test("a sibling that dies while another is being started begins the restart anew", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: ABC });
    tree.at("c").starts.push("hang");
    await tree.exit("b", BOOM);
    tree.takeTrace();
    await tree.exit("a", BOOM);
    expect(tree.takeTrace()).toEqual([
      "exit a",
      ...["stop c", "stopped c", "stop b", "stopped b"],
      ...["start a", "start b", "start c"],
    ]);
  });
});

describe("rest_for_one", () => {
  test("[rest_for_one] those after the failed child are stopped and started with it, those before it are untouched", async () => {
    const tree = await startTree({ strategy: "rest_for_one", intensity: 2, children: ABC });
    await tree.exit("b", BOOM);
    expect(tree.takeTrace()).toEqual(["exit b", "stop c", "stopped c", "start b", "start c"]);
    expect(tree.at("a").incarnation).toBe(1);
    await tree.exit("c", BOOM);
    expect(tree.takeTrace()).toEqual(["exit c", "start c"]);
    await tree.exit("b", BOOM);
    expect(tree.exitReason).toEqual(DEAD);
  });

  test("[rest_for_one_escalation] when a later child fails to start again, the supervisor gives up in the end", async () => {
    const tree = await startTree({ strategy: "rest_for_one", intensity: 4, children: [worker("a"), worker("b")] });
    tree.plans.set("root/b", BOOM);
    await tree.exit("a", BOOM);
    expect(tree.takeTrace()).toEqual([
      "exit a",
      ...["stop b", "stopped b", "start a"],
      ...Array<string>(4).fill("start b"),
      ...["stop a", "stopped a"],
    ]);
    expect(tree.exitReason).toEqual(DEAD);
  });

  // Promise: if-another-child-fails
  test("[rest_for_one_other_child_fails_restart] the retry goes on from the child that failed to start", async () => {
    const tree = await startTree({ strategy: "rest_for_one", children: ABC });
    tree.at("b").starts.push(BOOM);
    await tree.exit("a", BOOM);
    expect(tree.takeTrace().slice(-4)).toEqual(["start a", "start b", "start b", "start c"]);
    expect(tree.at("a").incarnation).toBe(2);
  });

  // Promise: children-start-left-right
  test("[order_of_children] children start in the order of the spec and stop in the opposite order", async () => {
    const ids = ["ch7", "ch3", "ch10", "ch2", "ch5"];
    const tree = new FakeTree({ strategy: "rest_for_one", children: ids.map((id) => worker(id)) });
    await tree.root.start(1);
    expect(tree.takeTrace()).toEqual(ids.map((id) => `start ${id}`));
    await tree.exit("ch10", BOOM);
    expect(tree.takeTrace()).toEqual([
      "exit ch10",
      ...["stop ch5", "stopped ch5", "stop ch2", "stopped ch2"],
      ...["start ch10", "start ch2", "start ch5"],
    ]);
    await tree.stop();
    expect(tree.takeTrace().filter((line) => line.startsWith("stop "))).toEqual(
      ids.toReversed().map((id) => `stop ${id}`),
    );
  });
});

describe.each<Strategy>(["one_for_all", "rest_for_one"])("bystanders of %s", (strategy) => {
  // Promise: temporary-child-never-spec
  test("[temporary_bystander] a temporary sibling is stopped, its spec is deleted, and it is not started again", async () => {
    const tree = await startTree({ strategy, children: [worker("a"), worker("b", { restart: "temporary" })] });
    await tree.exit("a", { kind: "normal" });
    expect(tree.takeTrace()).toEqual(["exit a", "stop b", "stopped b", "dispose b", "start a"]);
    expect(tree.states()).toEqual(["a:running"]);
  });

  test("a transient sibling is started again although it was stopped with shutdown", async () => {
    const tree = await startTree({ strategy, children: [worker("a"), worker("b", { restart: "transient" })] });
    await tree.exit("a", BOOM);
    expect(tree.states()).toEqual(["a:running", "b:running"]);
  });

  test("a sibling that is still stopping when it is killed by its deadline is waited for", async () => {
    const tree = await startTree({ strategy, children: [worker("a"), worker("b", { shutdown: 100 })] });
    tree.at("b").stopPlan = { afterMs: Infinity };
    await tree.exit("a", BOOM);
    expect(tree.states()).toEqual(["a:restarting", "b:running"]);
    await tree.clock.advance(100);
    expect(tree.states()).toEqual(["a:running", "b:running"]);
    expect(tree.takeTrace()).toEqual(["exit a", "stop b", "killed b", "start a", "start b"]);
  });

  test("the supervisor tells a bystander's stop from one for good", async () => {
    const tree = await startTree({ strategy, children: [worker("a"), worker("b")] });
    await tree.exit("a", BOOM);
    expect(tree.at("b").lastStop).toEqual({ reason: { kind: "shutdown" }, shutdown: 5_000, restarting: true });
    await tree.ref.terminateChild("b");
    expect(tree.at("b").lastStop?.restarting).toBe(false);
    expect(tree.at("b").state).toBe("parked");
  });
});

describe("the restart budget", () => {
  // Promise: time-monotonic-milliseconds-failure
  test("the limit counts failures up to exactly periodMs ago", async () => {
    const tree = await startTree({ intensity: 1, periodMs: 5_000, children: ABC });
    await tree.exit("b", BOOM);
    await tree.clock.advance(5_000);
    await tree.exit("b", BOOM);
    expect(tree.exitReason).toEqual(DEAD);
  });

  test("[multiple_restarts] a child may fail for ever, if it does so slowly enough", async () => {
    const tree = await startTree({ intensity: 1, periodMs: 1_000, children: ABC });
    for (let i = 0; i < 10; i++) {
      await tree.exit("b", BOOM);
      await tree.clock.advance(1_001);
    }
    expect(tree.at("b").incarnation).toBe(11);
    expect(tree.exitReason).toBeNull();
  });

  // Promise: intensity-0-first-restart
  test("with intensity 0 the first restart needed ends the supervisor", async () => {
    const tree = await startTree({ intensity: 0, children: ABC });
    await tree.exit("b", BOOM);
    expect(tree.takeTrace()).toEqual(["exit b", "stop c", "stopped c", "stop a", "stopped a"]);
    expect(tree.exitReason).toEqual(DEAD);
  });

  test("children that are not restarted cost nothing", async () => {
    const gone = ["a", "b", "c"].map((id) => worker(id, { restart: "temporary" }));
    const tree = await startTree({ intensity: 0, children: gone });
    for (const id of ["a", "b", "c"]) await tree.exit(id, BOOM);
    expect(tree.exitReason).toBeNull();
    expect(tree.states()).toEqual([]);
  });

  // Promise: there-budget-supervisor-restart
  test("one budget holds for all children of a supervisor together", async () => {
    const tree = await startTree({ intensity: 2, children: ABC });
    for (const id of ["a", "c", "b"]) await tree.exit(id, BOOM);
    expect(tree.exitReason).toEqual(DEAD);
  });

  // Promise: restarted-supervisor-children-spec
  test("a supervisor that was restarted has a full budget again", async () => {
    const tree = await startTree({ children: [supervisor({ id: "s", intensity: 1, children: [worker("w")] })] });
    for (let i = 0; i < 2; i++) await tree.exit("s/w", BOOM);
    expect(tree.at("s/w").incarnation).toBe(3);
    await tree.exit("s/w", BOOM);
    expect(tree.at("s/w").incarnation).toBe(4);
    expect(tree.exitReason).toBeNull();
  });
});
