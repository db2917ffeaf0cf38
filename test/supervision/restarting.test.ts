import { describe, expect, test } from "vitest";
import { supervisor } from "#runtime/supervision/child-spec.js";
import type { SupervisorRef } from "#runtime/supervision/supervisor-ref.js";
import { BOOM, startTree, worker } from "./fake-tree.js";

const SLOW = { minMs: 100, maxMs: 1_000, factor: 2, jitter: 0, resetAfterMs: 500 };

/** A tree of a, b, c whose child b keeps failing to restart, with a delay between the attempts. */
async function looping(strategy: "one_for_one" | "one_for_all" | "rest_for_one") {
  const tree = await startTree({
    strategy,
    intensity: 8,
    periodMs: 10_000,
    children: [worker("a"), worker("b", { backoff: SLOW }), worker("c")],
  });
  tree.plans.set("root/b", BOOM);
  await tree.exit("b", BOOM);
  await tree.clock.advance(100);
  tree.takeTrace();
  return tree;
}

describe("while a restart keeps failing", () => {
  // Promise: restart-keeps-failing-child
  test("[hanging_restart_loop] administration answers at once, and terminateChild ends the loop", async () => {
    const tree = await looping("one_for_one");
    const { ref } = tree;
    await expect(ref.startChild(worker("b"))).rejects.toMatchObject({ code: "ERR_ALREADY_PRESENT" });
    await expect(ref.restartChild("b")).rejects.toMatchObject({ code: "ERR_RESTARTING" });
    await expect(ref.deleteChild("b")).rejects.toMatchObject({ code: "ERR_RESTARTING" });
    expect(tree.states()).toEqual(["a:running", "b:restarting", "c:running"]);
    expect(ref.countChildren()).toEqual({ specs: 3, active: 2, supervisors: 0, workers: 3 });

    await ref.terminateChild("b");
    expect(tree.states()).toEqual(["a:running", "b:stopped", "c:running"]);
    expect(tree.at("b").state).toBe("parked");
    await tree.clock.advance(10_000);
    expect(tree.takeTrace()).toEqual([]);

    tree.plans.delete("root/b");
    expect(await ref.restartChild("b")).toBe(tree.at("b"));
    expect(tree.states()).toEqual(["a:running", "b:running", "c:running"]);
  });

  // Promise: restart-keeps-failing-child
  test("[hanging_restart_loop] the supervisor can be shut down", async () => {
    const tree = await looping("one_for_one");
    const { reason } = await tree.stop();
    expect(reason).toEqual({ kind: "shutdown" });
    expect(tree.takeTrace()).toEqual(["stop c", "stopped c", "stop a", "stopped a"]);
    await tree.clock.advance(10_000);
    expect(tree.takeTrace()).toEqual([]);
  });

  test("[hanging_restart_loop_rest_for_one] those after the failing child are down, and stay so when the loop is ended", async () => {
    const tree = await looping("rest_for_one");
    expect(tree.states()).toEqual(["a:running", "b:restarting", "c:stopped"]);
    expect(tree.ref.countChildren()).toEqual({ specs: 3, active: 1, supervisors: 0, workers: 3 });
    await tree.ref.terminateChild("b");
    await tree.clock.advance(10_000);
    expect(tree.states()).toEqual(["a:running", "b:stopped", "c:stopped"]);
    tree.plans.delete("root/b");
    await tree.ref.restartChild("b");
    await tree.ref.restartChild("c");
    expect(tree.states()).toEqual(["a:running", "b:running", "c:running"]);
  });

  test("a bystander that waits may be started, terminated or deleted by hand", async () => {
    const tree = await looping("one_for_all");
    expect(tree.states()).toEqual(["a:stopped", "b:restarting", "c:stopped"]);
    await tree.ref.restartChild("a");
    await tree.ref.terminateChild("c");
    await tree.ref.deleteChild("c");
    expect(tree.states()).toEqual(["a:running", "b:restarting"]);
    tree.plans.delete("root/b");
    await tree.clock.advance(1_000);
    expect(tree.states()).toEqual(["a:running", "b:running"]);
    expect(tree.takeTrace()).toEqual(["start a", "dispose c", "stop a", "stopped a", "start a", "start b"]);
  });

  test("a new child is started in between, and takes part in the next attempt", async () => {
    const tree = await looping("one_for_all");
    await tree.ref.startChild(worker("d"));
    expect(tree.states()).toEqual(["a:stopped", "b:restarting", "c:stopped", "d:running"]);
    tree.plans.delete("root/b");
    await tree.clock.advance(1_000);
    expect(tree.takeTrace()).toEqual(["start d", "stop d", "stopped d", "start a", "start b", "start c", "start d"]);
  });

  test("another child that fails is restarted by itself under one_for_one", async () => {
    const tree = await looping("one_for_one");
    await tree.exit("c", BOOM);
    expect(tree.states()).toEqual(["a:running", "b:restarting", "c:running"]);
  });

  test("another child that fails under one_for_all takes the loop over", async () => {
    const tree = await looping("one_for_all");
    tree.plans.delete("root/b");
    await tree.ref.restartChild("a");
    tree.takeTrace();
    await tree.exit("a", BOOM);
    expect(tree.takeTrace()).toEqual(["exit a", "start a", "start b", "start c"]);
    await tree.clock.advance(10_000);
    expect(tree.takeTrace()).toEqual([]);
  });

  test("a start attempt that hangs can be ended by terminateChild", async () => {
    const tree = await startTree({ children: [worker("a"), worker("b")] });
    tree.plans.set("root/b", "hang");
    await tree.exit("b", BOOM);
    expect(tree.states()).toEqual(["a:running", "b:restarting"]);
    await tree.ref.terminateChild("b");
    expect(tree.states()).toEqual(["a:running", "b:stopped"]);
    expect(tree.reported("child_start_failed")).toEqual([]);
    expect(tree.reported("actor_exited")).toHaveLength(1);
  });
});

describe("backoff", () => {
  test("restarts wait longer and longer, and a healthy life makes them quick again", async () => {
    const tree = await startTree({ intensity: 100, children: [worker("a", { backoff: SLOW })] });
    for (const delayMs of [100, 200, 400, 800, 1_000, 1_000]) {
      await tree.exit("a", BOOM);
      expect(tree.states()).toEqual(["a:restarting"]);
      await tree.clock.advance(delayMs - 1);
      expect(tree.states()).toEqual(["a:restarting"]);
      await tree.clock.advance(1);
      expect(tree.states()).toEqual(["a:running"]);
    }
    await tree.clock.advance(500);
    await tree.exit("a", BOOM);
    await tree.clock.advance(100);
    expect(tree.states()).toEqual(["a:running"]);
  });

  test("the mailbox of a child that waits for its restart stays open, those of its bystanders are closed", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: [worker("a", { backoff: SLOW }), worker("b")] });
    await tree.exit("a", BOOM);
    expect(tree.at("a").state).toBe("down");
    expect(tree.at("b").state).toBe("parked");
    await tree.clock.advance(100);
    expect(tree.states()).toEqual(["a:running", "b:running"]);
  });

  test("jitter comes from the tree's own source of chance", async () => {
    const tree = await startTree({ children: [worker("a", { backoff: { ...SLOW, jitter: 0.5 } })] });
    tree.random = 0;
    await tree.exit("a", BOOM);
    await tree.clock.advance(49);
    expect(tree.states()).toEqual(["a:restarting"]);
    await tree.clock.advance(1);
    expect(tree.states()).toEqual(["a:running"]);
  });

  test("restartChild forgives: the next failure waits as the first did", async () => {
    const tree = await looping("one_for_one");
    await tree.ref.terminateChild("b");
    tree.plans.delete("root/b");
    await tree.ref.restartChild("b");
    await tree.exit("b", BOOM);
    await tree.clock.advance(100);
    expect(tree.states()).toEqual(["a:running", "b:running", "c:running"]);
  });
});

describe("a restart that is under way", () => {
  test("loses a child that is terminated meanwhile, and goes on with the others", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: [worker("a"), worker("b"), worker("c")] });
    tree.at("b").starts.push("hang");
    await tree.exit("a", BOOM);
    expect(tree.states()).toEqual(["a:running", "b:restarting", "c:restarting"]);
    await expect(tree.ref.deleteChild("c")).rejects.toMatchObject({ code: "ERR_RESTARTING" });
    await tree.ref.terminateChild("b");
    await tree.settle();
    expect(tree.states()).toEqual(["a:running", "b:stopped", "c:running"]);
  });

  test("gives up on a new child whose start it has to stop, and tells the caller", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: [worker("a")] });
    tree.plans.set("root/new", "hang");
    const started = tree.ref.startChild(worker("new"));
    const refused = expect(started).rejects.toMatchObject({ code: "ERR_INIT_FAILED", id: "root/new" });
    await tree.settle();
    await tree.exit("a", BOOM);
    await refused;
    expect(tree.states()).toEqual(["a:running"]);
    expect(tree.at("new").state).toBe("disposed");
  });

  test("stops a restartChild that is under way, and starts that child with the others", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: [worker("a"), worker("b")] });
    await tree.ref.terminateChild("b");
    tree.at("b").starts.push("hang");
    const refused = expect(tree.ref.restartChild("b")).rejects.toMatchObject({ code: "ERR_INIT_FAILED" });
    await tree.settle();
    await tree.exit("a", BOOM);
    await refused;
    expect(tree.states()).toEqual(["a:running", "b:running"]);
  });

  test("takes no notice of a start that fails while it waits to be stopped", async () => {
    const tree = await startTree({
      strategy: "one_for_all",
      intensity: 1,
      children: [worker("a"), worker("b"), worker("c")],
    });
    await tree.ref.terminateChild("b");
    tree.at("b").starts.push("hang");
    const refused = expect(tree.ref.restartChild("b")).rejects.toMatchObject({ code: "ERR_INIT_FAILED" });
    tree.at("c").stopPlan = { afterMs: 50 };
    await tree.exit("a", BOOM);
    tree.at("b").failed(BOOM);
    await tree.clock.advance(50);
    await refused;
    expect(tree.states()).toEqual(["a:running", "b:running", "c:running"]);
  });

  test("waits for a terminateChild that is under way, and starts that child too", async () => {
    const tree = await startTree({ strategy: "one_for_all", children: [worker("a"), worker("b")] });
    tree.at("b").stopPlan = { afterMs: 50 };
    const terminated = tree.ref.terminateChild("b");
    await tree.settle();
    await tree.exit("a", BOOM);
    expect(tree.states()).toEqual(["a:restarting", "b:running"]);
    await tree.clock.advance(50);
    await terminated;
    expect(tree.states()).toEqual(["a:running", "b:running"]);
  });

  test("lets a start that is in line keep its place", async () => {
    const tree = await startTree({ strategy: "rest_for_one", children: [worker("a"), worker("b")] });
    tree.at("b").starts.push("hang");
    await tree.exit("a", BOOM);
    const started = tree.ref.startChild(worker("c"));
    await tree.settle();
    expect(tree.states()).toEqual(["a:running", "b:restarting", "c:restarting"]);
    tree.at("b").started();
    expect(await started).toBe(tree.at("c"));
  });
});

test("a failed start is retried from a timer even without a delay, so that everything else gets its turn", async () => {
  const tree = await startTree({ intensity: 1_000, children: [worker("a")] });
  tree.plans.set("root/a", BOOM);
  tree.takeTrace();
  tree.at("a").exit(BOOM);
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  expect(tree.takeTrace()).toEqual(["exit a", "start a"]);
});

test("a child that dies in the moment it has started is restarted", async () => {
  const tree = await startTree({ children: [worker("a")] });
  tree.at("a").starts.push("hang");
  await tree.exit("a", BOOM);
  tree.at("a").started();
  tree.at("a").exit(BOOM);
  await tree.settle();
  expect(tree.states()).toEqual(["a:running"]);
  expect(tree.at("a").incarnation).toBe(3);
});

// Promise: ignore-init-means-started
test("init that returns ignore() during a restart is no failure: the child is stopped, its spec kept", async () => {
  const tree = await startTree({ intensity: 1, children: [worker("a")] });
  tree.at("a").starts.push("ignore");
  await tree.exit("a", BOOM);
  expect(tree.states()).toEqual(["a:stopped"]);
  expect(tree.at("a").state).toBe("parked");
  await tree.ref.restartChild("a");
  expect(tree.states()).toEqual(["a:running"]);
});

// Promise: watcher-saw-child-s-down
test("a listener that is told of an exit finds the supervisor already past it", async () => {
  const tree = await startTree({ children: [worker("a"), worker("b", { restart: "transient" })] });
  tree.at("a").exit(BOOM);
  tree.at("b").exit({ kind: "normal" });
  expect(tree.states()).toEqual(["a:restarting", "b:stopped"]);
});

test("[count_restarting_children] children that wait for their restart are counted, but not as active", async () => {
  const backoff = { minMs: 10 };
  const tree = await startTree({
    intensity: 20,
    children: [supervisor({ id: "s", intensity: 20, children: ["a", "b", "c"].map((id) => worker(id, { backoff })) })],
  });
  const s = tree.ref.child("s") as SupervisorRef;
  for (const id of ["a", "b"]) {
    tree.plans.set(`root/s/${id}`, BOOM);
    await tree.exit(`s/${id}`, BOOM);
  }
  expect(s.countChildren()).toEqual({ specs: 3, active: 1, supervisors: 0, workers: 3 });
  tree.plans.clear();
  await tree.clock.advance(10);
  expect(s.countChildren()).toEqual({ specs: 3, active: 3, supervisors: 0, workers: 3 });
});

test("the late news of a child that is gone is not taken for news of another with its id", async () => {
  const tree = await startTree();
  const first = tree.ref.startChild(worker("a", { restart: "temporary" }));
  tree.at("a").exit(BOOM);
  tree.plans.set("root/a", "hang");
  const second = tree.ref.startChild(worker("a"));
  await first;
  expect(tree.states()).toEqual(["a:restarting"]);
  tree.at("a").started();
  await second;
  expect(tree.states()).toEqual(["a:running"]);
});
