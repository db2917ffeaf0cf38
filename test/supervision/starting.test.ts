import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { describe, expect, test } from "vitest";
import { supervisor } from "#runtime/supervision/child-spec.js";
import { BOOM, FakeTree, startTree, worker } from "./fake-tree.js";

const ABC = [worker("a"), worker("b"), worker("c")];

async function startFailure(tree: FakeTree): Promise<ActorError> {
  const outcome = await tree.root.start(1);
  if (outcome.kind !== "failed" || outcome.reason.kind !== "init_failed") throw new Error("it should have failed");
  return outcome.reason.error as ActorError;
}

describe("the first start of a supervisor", () => {
  test("[sup_start_normal] it starts without children, and stops", async () => {
    const tree = await startTree();
    expect(tree.ref.whichChildren()).toEqual([]);
    expect((await tree.stop()).reason).toEqual({ kind: "shutdown" });
  });

  // Promise: children-start-left-right
  test("a child is started once the init of the one before it has succeeded", async () => {
    const tree = new FakeTree({ children: ABC });
    tree.plans.set("root/b", "hang");
    const started = tree.root.start(1);
    await tree.settle();
    expect(tree.takeTrace()).toEqual(["start a", "start b"]);
    expect(tree.states()).toEqual(["a:running", "b:restarting", "c:restarting"]);
    tree.at("b").started();
    await started;
    expect(tree.takeTrace()).toEqual(["start c"]);
  });

  test("[sup_start_fail] when one fails, those already started are stopped in reverse, and the error names it", async () => {
    const tree = new FakeTree({ children: [...ABC, worker("d")] });
    tree.plans.set("root/c", BOOM);
    const error = await startFailure(tree);
    expect(error).toMatchObject({ code: "ERR_INIT_FAILED", id: "root/c", reason: BOOM });
    expect(error.message).toContain("root/c");
    expect(error.message).toContain("boom");
    expect(tree.takeTrace()).toEqual([
      ...["start a", "start b", "start c"],
      ...["stop b", "stopped b", "stop a", "stopped a"],
    ]);
  });

  test("[sup_start_error_return] a spec that is wrong is refused before anything is created", () => {
    expect(() => new FakeTree({ children: [worker("a"), worker("b", { restart: "x" as never })] })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_CHILD_SPEC", id: "root/b", field: "restart" }),
    );
  });

  // Promise: first-start-fails-children
  test("a failed first start is not retried, whatever the intensity", async () => {
    const tree = new FakeTree({ intensity: 100, children: [worker("a")] });
    tree.plans.set("root/a", BOOM);
    await startFailure(tree);
    await tree.clock.advance(10_000);
    expect(tree.takeTrace()).toEqual(["start a"]);
    expect(tree.exitReason).toBeNull();
  });

  test("an init that takes too long is ERR_INIT_TIMEOUT", async () => {
    const tree = new FakeTree({ children: ABC });
    tree.plans.set("root/b", { kind: "init_timeout", afterMs: 10_000 });
    expect(await startFailure(tree)).toMatchObject({ code: "ERR_INIT_TIMEOUT", id: "root/b" });
  });

  test.each(["ERR_ACTOR_MODULE", "ERR_NAME_TAKEN"] as const)(
    "an error %s says enough and passes through",
    async (code) => {
      const tree = new FakeTree({ children: [supervisor({ id: "s", children: ABC })] });
      const cause = new ActorError(code, "why");
      tree.plans.set("root/s/b", { kind: "init_failed", error: cause });
      expect(await startFailure(tree)).toBe(cause);
    },
  );

  test("an error of init stays the cause of ERR_INIT_FAILED, also when it is an ActorError of its own", async () => {
    const tree = new FakeTree({ children: ABC });
    const cause = new ActorError("ERR_CALL_TIMEOUT", "init made a call");
    tree.plans.set("root/a", { kind: "init_failed", error: cause });
    expect(await startFailure(tree)).toMatchObject({ code: "ERR_INIT_FAILED", cause });
  });

  test("[faulty_application_shutdown] a child deep down that cannot start ends the whole start, and is the one named", async () => {
    const tree = new FakeTree({
      children: [worker("x"), supervisor({ id: "s", children: [supervisor({ id: "t", children: ABC })] })],
    });
    tree.plans.set("root/s/t/c", BOOM);
    expect(await startFailure(tree)).toMatchObject({ code: "ERR_INIT_FAILED", id: "root/s/t/c", reason: BOOM });
    expect(tree.takeTrace().filter((line) => line.startsWith("stop "))).toEqual(["stop s/t/b", "stop s/t/a", "stop x"]);
  });

  test("an error of createChild fails the start too", async () => {
    const tree = new FakeTree({ children: ABC });
    const taken = new ActorError("ERR_NAME_TAKEN", "taken");
    tree.refuseToCreate.set("root/b", taken);
    expect(await startFailure(tree)).toBe(taken);
    expect(tree.takeTrace()).toEqual([]);
  });

  test("[sup_start_ignore_child] a child whose init returns ignore() is skipped, its spec kept", async () => {
    const tree = new FakeTree({ children: [worker("a"), worker("b")] });
    tree.plans.set("root/a", "ignore");
    expect((await tree.root.start(1)).kind).toBe("started");
    expect(tree.states()).toEqual(["a:stopped", "b:running"]);
    expect(tree.ref.countChildren()).toEqual({ specs: 2, active: 1, supervisors: 0, workers: 2 });
  });

  test("[sup_start_ignore_temporary_child] a temporary child that is skipped is forgotten", async () => {
    const tree = new FakeTree({ children: [worker("a", { restart: "temporary" }), worker("b")] });
    tree.plans.set("root/a", "ignore");
    await tree.root.start(1);
    expect(tree.states()).toEqual(["b:running"]);
  });

  test("stopping it in the middle stops the child that is starting and those before it", async () => {
    const tree = new FakeTree({ children: ABC });
    tree.plans.set("root/b", "hang");
    const started = tree.root.start(1);
    await tree.settle();
    const { reason } = await tree.stop();
    expect(reason).toEqual({ kind: "shutdown" });
    expect(await started).toEqual({ kind: "failed", reason: { kind: "shutdown" } });
    expect(tree.takeTrace().slice(2)).toEqual(["stop b", "stopped b", "stop a", "stopped a"]);
    expect(tree.exitReason).toBeNull();
  });
});

describe("a child that dies while its siblings are still being started for the first time", () => {
  test("is restarted without waiting for them under one_for_one", async () => {
    const tree = new FakeTree({ children: ABC });
    tree.plans.set("root/b", "hang");
    const started = tree.root.start(1);
    await tree.settle();
    await tree.exit("a", BOOM);
    expect(tree.states()).toEqual(["a:running", "b:restarting", "c:restarting"]);
    tree.at("b").started();
    expect((await started).kind).toBe("started");
    expect(tree.states()).toEqual(["a:running", "b:running", "c:running"]);
  });

  test("begins the start anew under one_for_all", async () => {
    const tree = new FakeTree({ strategy: "one_for_all", children: ABC });
    tree.plans.set("root/b", "hang");
    const started = tree.root.start(1);
    await tree.settle();
    tree.plans.clear();
    await tree.exit("a", BOOM);
    expect((await started).kind).toBe("started");
    expect(tree.takeTrace()).toEqual([
      ...["start a", "start b", "exit a", "stop b", "stopped b"],
      ...["start a", "start b", "start c"],
    ]);
  });

  test("holds the start up until its backoff is over, and no longer when it is given up", async () => {
    for (const giveUp of [false, true]) {
      const slow = worker("a", { backoff: { minMs: 100 } });
      const tree = new FakeTree({ strategy: "rest_for_one", children: [slow, worker("b"), worker("c")] });
      tree.plans.set("root/b", "hang");
      const started = tree.root.start(1);
      await tree.settle();
      tree.plans.clear();
      await tree.exit("a", BOOM);
      expect(tree.states()).toEqual(["a:restarting", "b:stopped", "c:stopped"]);
      if (giveUp) await tree.ref.terminateChild("a");
      else await tree.clock.advance(100);
      expect((await started).kind).toBe("started");
      expect(tree.states()).toEqual([giveUp ? "a:stopped" : "a:running", "b:running", "c:running"]);
    }
  });

  test("a sibling's failed first start still ends the supervisor", async () => {
    const tree = new FakeTree({ strategy: "one_for_all", children: ABC });
    tree.plans.set("root/b", "hang");
    const failure = startFailure(tree);
    await tree.settle();
    tree.plans.set("root/b", BOOM);
    await tree.exit("a", BOOM);
    expect(await failure).toMatchObject({ code: "ERR_INIT_FAILED", id: "root/b" });
  });

  test("ends the start when the budget is spent", async () => {
    const tree = new FakeTree({ intensity: 0, children: ABC });
    tree.plans.set("root/b", "hang");
    const started = tree.root.start(1);
    await tree.settle();
    await tree.exit("a", BOOM);
    const reason = { kind: "shutdown", detail: { kind: "reached_max_restart_intensity", id: "root/a", reason: BOOM } };
    expect(await started).toEqual({ kind: "failed", reason });
    expect(tree.exitReason).toBeNull();
  });

  test("a start can be ended child by child", async () => {
    const tree = new FakeTree({ children: ABC });
    tree.plans.set("root/a", "hang");
    const started = tree.root.start(1);
    await tree.settle();
    await tree.ref.terminateChild("c");
    await tree.ref.terminateChild("a");
    expect((await started).kind).toBe("started");
    expect(tree.states()).toEqual(["a:stopped", "b:running", "c:stopped"]);
  });
});

test("a nested supervisor that cannot be restarted is retried like any child, and escalates in the end", async () => {
  const tree = await startTree({
    intensity: 2,
    children: [supervisor({ id: "s", intensity: 0, children: [worker("w")] })],
  });
  tree.plans.set("root/s/w", BOOM);
  await tree.exit("s/w", BOOM);
  const reason = tree.exitReason as Extract<ExitReason, { kind: "shutdown" }>;
  expect(reason.detail).toMatchObject({
    kind: "reached_max_restart_intensity",
    id: "root/s",
    reason: { kind: "init_failed" },
  });
  expect(tree.takeTrace()).toEqual(["exit s/w", "start s/w", "start s/w"]);
});
