import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import { describe, expect, test } from "vitest";
import { dynamicSupervisor, supervisor } from "#runtime/supervision/child-spec.js";
import type { SupervisorRef } from "#runtime/supervision/supervisor-ref.js";
import { BOOM, FakeTree, startTree, worker } from "./fake-tree.js";

describe("startChild", () => {
  test("[child_adm] starts a child at the end of the order and resolves to its reference", async () => {
    const tree = await startTree({ children: [worker("a")] });
    expect(await tree.ref.startChild(worker("b"))).toBe(tree.at("b"));
    expect(tree.states()).toEqual(["a:running", "b:running"]);
    expect(tree.ref.child("b")).toBe(tree.at("b"));
  });

  // Promise: duplicate-id-err-already-started-stopped
  test("[child_adm] refuses an id that is running, and gives its reference", async () => {
    const tree = await startTree({ children: [worker("a")] });
    const refused = { code: "ERR_ALREADY_STARTED", id: "root/a", ref: tree.at("a") };
    await expect(tree.ref.startChild(worker("a"))).rejects.toMatchObject(refused);
    expect(tree.created).toEqual([tree.at("a")]);
  });

  // Promise: duplicate-id-err-already-started-stopped
  test("[child_adm] refuses an id that is there but stopped", async () => {
    const tree = await startTree({ children: [worker("a")] });
    await tree.ref.terminateChild("a");
    await expect(tree.ref.startChild(worker("a"))).rejects.toMatchObject({ code: "ERR_ALREADY_PRESENT", id: "root/a" });
  });

  test("refuses an id that is being started", async () => {
    const tree = await startTree();
    tree.plans.set("root/a", "hang");
    const first = tree.ref.startChild(worker("a"));
    await expect(tree.ref.startChild(worker("a"))).rejects.toMatchObject({ code: "ERR_ALREADY_STARTED" });
    tree.at("a").started();
    expect(await first).toBe(tree.at("a"));
  });

  // Promise: startchild-fails-caller-s
  test("[sup_start_child_returns_error] a failed start is the caller's error, costs nothing and leaves no spec", async () => {
    const tree = await startTree({ intensity: 0 });
    tree.plans.set("root/a", BOOM);
    await expect(tree.ref.startChild(worker("a"))).rejects.toMatchObject({ code: "ERR_INIT_FAILED", reason: BOOM });
    expect(tree.states()).toEqual([]);
    expect(tree.at("a").state).toBe("disposed");
    expect(tree.exitReason).toBeNull();
  });

  test("an init that takes too long is the caller's ERR_INIT_TIMEOUT", async () => {
    const tree = await startTree();
    tree.plans.set("root/a", { kind: "init_timeout", afterMs: 10_000 });
    await expect(tree.ref.startChild(worker("a"))).rejects.toMatchObject({ code: "ERR_INIT_TIMEOUT", id: "root/a" });
  });

  test("[already_started_outside_supervisor] a name that is taken is the caller's ERR_NAME_TAKEN", async () => {
    const tree = await startTree();
    tree.refuseToCreate.set("root/a", new ActorError("ERR_NAME_TAKEN", "taken"));
    await expect(tree.ref.startChild(worker("a"))).rejects.toMatchObject({ code: "ERR_NAME_TAKEN" });
    expect(tree.states()).toEqual([]);
  });

  test("[sup_start_ignore_child] a child that is skipped by ignore() resolves, its spec is kept", async () => {
    const tree = await startTree();
    tree.plans.set("root/a", "ignore");
    await tree.ref.startChild(worker("a"));
    await tree.ref.startChild(worker("b"));
    expect(tree.states()).toEqual(["a:stopped", "b:running"]);
  });

  test("[sup_start_ignore_temporary_child_start_child] a temporary one that is skipped is forgotten", async () => {
    const tree = await startTree();
    tree.plans.set("root/a", "ignore");
    await tree.ref.startChild(worker("a", { restart: "temporary" }));
    expect(tree.states()).toEqual([]);
    expect(tree.at("a").state).toBe("disposed");
  });

  test("children are started side by side when they do not depend on each other", async () => {
    const tree = await startTree();
    tree.plans.set("root/a", "hang");
    const a = tree.ref.startChild(worker("a"));
    await tree.ref.startChild(worker("b"));
    expect(tree.states()).toEqual(["a:restarting", "b:running"]);
    tree.at("a").started();
    await a;
  });

  test("children are started one after the other under one_for_all", async () => {
    const tree = await startTree({ strategy: "one_for_all" });
    tree.plans.set("root/a", "hang");
    const both = Promise.all([tree.ref.startChild(worker("a")), tree.ref.startChild(worker("b"))]);
    await tree.settle();
    expect(tree.takeTrace()).toEqual(["start a"]);
    tree.at("a").started();
    await both;
    expect(tree.takeTrace()).toEqual(["start b"]);
  });

  test("[child_specs] a spec that is wrong is refused before anything is created", async () => {
    const tree = await startTree();
    await expect(tree.ref.startChild(worker("a", { restart: "prmanent" as "permanent" }))).rejects.toMatchObject({
      code: "ERR_INVALID_CHILD_SPEC",
      field: "restart",
    });
    await expect(tree.ref.startChild("hej" as never)).rejects.toMatchObject({ code: "ERR_INVALID_CHILD_SPEC" });
    expect(tree.created).toEqual([]);
  });

  test("a child that is terminated while it starts is the caller's error, and leaves no spec", async () => {
    const tree = await startTree();
    tree.plans.set("root/a", "hang");
    const refused = expect(tree.ref.startChild(worker("a"))).rejects.toMatchObject({ code: "ERR_INIT_FAILED" });
    await tree.ref.terminateChild("a");
    await refused;
    expect(tree.states()).toEqual([]);
  });
});

describe("terminateChild", () => {
  // Promise: terminatechild-idempotent-keeps-spec
  test("[child_adm] stops the child and keeps its spec; once more changes nothing", async () => {
    const tree = await startTree({ children: [worker("a"), worker("b")] });
    await tree.ref.terminateChild("a");
    await tree.ref.terminateChild("a");
    expect(tree.states()).toEqual(["a:stopped", "b:running"]);
    expect(tree.takeTrace()).toEqual(["stop a", "stopped a"]);
    expect(tree.at("a").state).toBe("parked");
  });

  test("resolves when the child has ended, also for a second caller", async () => {
    const tree = await startTree({ children: [worker("a")] });
    tree.at("a").stopPlan = { afterMs: 50 };
    const ended: string[] = [];
    const both = [1, 2].map((n) => tree.ref.terminateChild("a").then(() => ended.push(`call ${n}`)));
    await tree.clock.advance(49);
    expect(ended).toEqual([]);
    await tree.clock.advance(1);
    await Promise.all(both);
    expect(ended).toEqual(["call 1", "call 2"]);
  });

  test("[do_not_save_child_specs_for_temporary_children] deletes the spec of a temporary child", async () => {
    const tree = await startTree({ children: [worker("a", { restart: "temporary" })] });
    await tree.ref.terminateChild("a");
    expect(tree.states()).toEqual([]);
    await expect(tree.ref.restartChild("a")).rejects.toMatchObject({ code: "ERR_NOT_FOUND" });
    await tree.ref.startChild(worker("a", { restart: "temporary" }));
    expect(tree.states()).toEqual(["a:running"]);
  });

  test("[child_unlink] ends a child that does not want to end", async () => {
    const tree = await startTree({ children: [worker("a", { shutdown: 1_000 })] });
    tree.at("a").stopPlan = { afterMs: Infinity };
    const terminated = tree.ref.terminateChild("a");
    await tree.clock.advance(1_000);
    await terminated;
    expect(tree.takeTrace()).toEqual(["stop a", "killed a"]);
  });

  test("a child that ends by itself just before is not restarted", async () => {
    const tree = await startTree({ children: [worker("a")] });
    tree.at("a").stopPlan = { afterMs: 50 };
    const terminated = tree.ref.terminateChild("a");
    await tree.settle();
    tree.at("a").exit(BOOM);
    await terminated;
    expect(tree.states()).toEqual(["a:stopped"]);
  });
});

describe("restartChild", () => {
  test("[child_adm] starts a stopped child as its next incarnation", async () => {
    const tree = await startTree({ children: [worker("a")] });
    await tree.ref.terminateChild("a");
    expect(await tree.ref.restartChild("a")).toBe(tree.at("a"));
    expect(tree.at("a").incarnation).toBe(2);
    await expect(tree.ref.restartChild("a")).rejects.toMatchObject({ code: "ERR_RUNNING", id: "root/a" });
  });

  test("[sup_start_restart_child_returns_error] a failed start is the caller's error, and the spec is kept", async () => {
    const tree = await startTree({ intensity: 0, children: [worker("a")] });
    await tree.ref.terminateChild("a");
    tree.plans.set("root/a", BOOM);
    await expect(tree.ref.restartChild("a")).rejects.toMatchObject({ code: "ERR_INIT_FAILED", reason: BOOM });
    expect(tree.states()).toEqual(["a:stopped"]);
    expect(tree.at("a").state).toBe("parked");
    expect(tree.exitReason).toBeNull();
  });

  test("[transient_shutdown] a transient child that ended with shutdown can be restarted by hand", async () => {
    const tree = await startTree({ children: [worker("a", { restart: "transient" })] });
    await tree.exit("a", { kind: "shutdown" });
    await tree.ref.restartChild("a");
    expect(tree.states()).toEqual(["a:running"]);
  });
});

describe("deleteChild", () => {
  test("[child_adm] forgets a stopped child; a running one it refuses", async () => {
    const tree = await startTree({ children: [worker("a")] });
    await expect(tree.ref.deleteChild("a")).rejects.toMatchObject({ code: "ERR_RUNNING" });
    await tree.ref.terminateChild("a");
    await tree.ref.deleteChild("a");
    expect(tree.states()).toEqual([]);
    expect(tree.at("a").state).toBe("disposed");
    await expect(tree.ref.restartChild("a")).rejects.toMatchObject({ code: "ERR_NOT_FOUND" });
  });
});

test.each(["terminateChild", "restartChild", "deleteChild"] as const)(
  "[child_adm] %s of an unknown id is ERR_NOT_FOUND",
  async (call) => {
    const tree = await startTree();
    await expect(tree.ref[call]("hej")).rejects.toMatchObject({ code: "ERR_NOT_FOUND", id: "root/hej" });
  },
);

test.each(["one_for_one", "one_for_all", "rest_for_one"] as const)(
  "[do_not_save_start_parameters_for_temporary_children] of a temporary child that has ended nothing is kept (%s)",
  async (strategy) => {
    const tree = await startTree({ strategy });
    await tree.ref.startChild(worker("a", { restart: "temporary" }));
    await tree.exit("a", { kind: "killed" });
    expect(tree.ref.countChildren().specs).toBe(0);
    expect(tree.ref.child("a")).toBeUndefined();
    expect(tree.at("a").state).toBe("disposed");
  },
);

test("[scale_start_stop_many_children] many children are started and stopped by hand", async () => {
  const tree = await startTree();
  const ids = Array.from({ length: 1_000 }, (_, i) => `c${i}`);
  for (const id of ids) await tree.ref.startChild(worker(id));
  expect(tree.ref.countChildren()).toEqual({ specs: 1_000, active: 1_000, supervisors: 0, workers: 1_000 });
  for (const id of ids) await tree.ref.terminateChild(id);
  expect(tree.ref.countChildren()).toEqual({ specs: 1_000, active: 0, supervisors: 0, workers: 1_000 });
});

test("child() of an unknown id is undefined", async () => {
  const tree = await startTree();
  expect(tree.ref.child("hej")).toBeUndefined();
});

// Promise: children-listed-reverse-start
test("[which_children] children are listed in reverse start order, with what they are and how they are", async () => {
  const tree = await startTree({
    children: [worker("a"), worker("b", { restart: "transient" }), worker("c"), supervisor({ id: "s" })],
  });
  await tree.ref.terminateChild("b");
  tree.plans.set("root/c", "hang");
  await tree.exit("c", BOOM);
  expect(tree.ref.whichChildren()).toEqual([
    { id: "s", type: "supervisor", state: "running", restart: "permanent", ref: tree.ref.child("s") },
    { id: "c", type: "worker", state: "restarting", restart: "permanent", ref: tree.at("c") },
    { id: "b", type: "worker", state: "stopped", restart: "transient", ref: tree.at("b") },
    { id: "a", type: "worker", state: "running", restart: "permanent", ref: tree.at("a") },
  ]);
});

test("[count_children] specs, those that run, supervisors and workers are counted", async () => {
  const tree = await startTree({
    children: [worker("a"), worker("b"), supervisor({ id: "s" }), dynamicSupervisor({ id: "d" })],
  });
  await tree.ref.terminateChild("a");
  expect(tree.ref.countChildren()).toEqual({ specs: 4, active: 3, supervisors: 2, workers: 2 });
});

test("[count_children_supervisor] supervisors among the children are counted whether they run or not", async () => {
  const tree = await startTree({ children: [supervisor({ id: "s" }), supervisor({ id: "t", restart: "transient" })] });
  await tree.ref.terminateChild("t");
  expect(tree.ref.countChildren()).toEqual({ specs: 2, active: 1, supervisors: 2, workers: 0 });
});

test("[sup_start_map] a reference names its supervisor by the path from the root", async () => {
  const tree = await startTree({ children: [supervisor({ id: "s", children: [supervisor({ id: "t" })] })] });
  const s = tree.ref.child("s") as SupervisorRef;
  expect([tree.ref.id, s.id, (s.child("t") as SupervisorRef).id]).toEqual(["root", "root/s", "root/s/t"]);
});

test("what a listener asks for is done after the event it listened to", async () => {
  const tree = await startTree({ children: [worker("a")] });
  const done: Promise<unknown>[] = [];
  tree.onReport = ({ event }) => {
    if (event === "actor_exited" && done.length === 0) done.push(tree.ref.terminateChild("a"));
  };
  await tree.exit("a", BOOM);
  await Promise.all(done);
  expect(tree.takeTrace()).toEqual(["exit a", "start a", "stop a", "stopped a"]);
  expect(tree.states()).toEqual(["a:stopped"]);
});

test("a supervisor may be administered from within the report of an event", async () => {
  const tree = new FakeTree({ children: [worker("a", { restart: "transient" })] });
  const done: Promise<unknown>[] = [];
  tree.onReport = ({ event }) => {
    if (event === "actor_exited") done.push(tree.ref.startChild(worker("b")), tree.ref.deleteChild("a"));
  };
  await tree.root.start(1);
  await tree.exit("a", { kind: "normal" });
  await Promise.all(done);
  expect(tree.states()).toEqual(["b:running"]);
});
