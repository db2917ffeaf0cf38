import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import type { RestartType } from "#runtime/supervision/child.js";
import { type DynamicSupervisorSpec, dynamicSupervisor, supervisor } from "#runtime/supervision/child-spec.js";
import type { SupervisorRef } from "#runtime/supervision/supervisor-ref.js";
import { BOOM, startTree, stopReport, worker } from "./fake-tree.js";

/** A tree whose only child is a dynamic supervisor `d`. */
async function startDynamic(spec: Partial<DynamicSupervisorSpec> = {}) {
  const tree = await startTree({ children: [dynamicSupervisor({ id: "d", ...spec })] });
  return { tree, d: tree.ref.child("d") as SupervisorRef };
}

test("[child_adm_simple] it starts empty; children are added, found, counted and terminated", async () => {
  const { tree, d } = await startDynamic();
  expect(d.whichChildren()).toEqual([]);
  expect(await d.startChild(worker("a"))).toBe(tree.at("d/a"));
  await d.startChild(worker("b"));
  expect(tree.states(d)).toEqual(["a:running", "b:running"]);
  expect(d.countChildren()).toEqual({ specs: 2, active: 2, supervisors: 0, workers: 2 });
  await expect(d.startChild(worker("a"))).rejects.toMatchObject({ code: "ERR_ALREADY_STARTED" });
  await expect(d.deleteChild("a")).rejects.toMatchObject({ code: "ERR_RUNNING" });
  await expect(d.restartChild("a")).rejects.toMatchObject({ code: "ERR_RUNNING" });
  await d.terminateChild("a");
  expect(tree.states(d)).toEqual(["b:running"]);
  expect(tree.at("d/a").state).toBe("disposed");
  await expect(d.terminateChild("a")).rejects.toMatchObject({ code: "ERR_NOT_FOUND" });
});

test("[which_children_simple_one_for_one] children are listed in reverse start order", async () => {
  const { tree, d } = await startDynamic();
  for (const id of ["a", "b"]) await d.startChild(worker(id, { restart: "temporary" }));
  expect(d.whichChildren()).toEqual([
    { id: "b", type: "worker", state: "running", restart: "temporary", ref: tree.at("d/b") },
    { id: "a", type: "worker", state: "running", restart: "temporary", ref: tree.at("d/a") },
  ]);
});

test("[simple_one_for_one] a child that fails is restarted alone, and too many failures end the supervisor", async () => {
  const { tree, d } = await startDynamic({ intensity: 2 });
  await d.startChild(worker("a"));
  await d.startChild(worker("b"));
  await tree.exit("d/a", BOOM);
  expect(tree.states(d)).toEqual(["a:running", "b:running"]);
  expect(tree.at("d/b").incarnation).toBe(1);
  await tree.exit("d/b", BOOM);
  await tree.exit("d/b", BOOM);
  expect(tree.states(d)).toEqual([]);
  expect(tree.states()).toEqual(["d:running"]);
  expect(tree.at("d/a").state).toBe("disposed");
});

test("[simple_one_for_one_escalation] a child that cannot be restarted takes the supervisor down", async () => {
  const { tree, d } = await startDynamic({ intensity: 4, restart: "transient" });
  await d.startChild(worker("a"));
  await d.startChild(worker("b"));
  tree.plans.set("root/d/a", BOOM);
  await tree.exit("d/a", BOOM);
  expect(tree.takeTrace().filter((line) => line === "start d/a")).toHaveLength(1 + 4);
  expect(tree.states()).toEqual(["d:stopped"]);
});

test("[hanging_restart_loop_simple] a child that keeps failing to restart can be terminated, and so can the supervisor", async () => {
  for (const whole of [false, true]) {
    const { tree, d } = await startDynamic({ intensity: 8 });
    await d.startChild(worker("a", { backoff: { minMs: 100 } }));
    tree.plans.set("root/d/a", BOOM);
    await tree.exit("d/a", BOOM);
    expect(tree.states(d)).toEqual(["a:restarting"]);
    await expect(d.restartChild("a")).rejects.toMatchObject({ code: "ERR_RESTARTING" });
    if (whole) await tree.stop();
    else await d.terminateChild("a");
    expect(tree.states(d)).toEqual([]);
    expect(tree.at("d/a").state).toBe("disposed");
  }
});

test.each<RestartType>(["temporary", "transient", "permanent"])(
  "[simple_one_for_one_corruption] a %s child that has ended and is not restarted leaves nothing behind",
  async (restart) => {
    const { tree, d } = await startDynamic({ intensity: 1_000 });
    for (let i = 0; i < 100; i++) {
      await d.startChild(worker(`c${i}`, { restart }));
      await tree.exit(`d/c${i}`, { kind: "normal" });
    }
    const left = restart === "permanent" ? 100 : 0;
    expect(d.countChildren()).toEqual({ specs: left, active: left, supervisors: 0, workers: left });
  },
);

test("[sup_start_child_returns_error_simple] a failed start is the caller's error and leaves nothing behind", async () => {
  const { tree, d } = await startDynamic();
  tree.plans.set("root/d/a", BOOM);
  await expect(d.startChild(worker("a"))).rejects.toMatchObject({ code: "ERR_INIT_FAILED", id: "root/d/a" });
  expect(d.whichChildren()).toEqual([]);
});

test.each<RestartType>(["temporary", "permanent"])(
  "[sup_start_ignore_%s_child_start_child_simple] a child skipped by ignore() is forgotten",
  async (restart) => {
    const { tree, d } = await startDynamic();
    tree.plans.set("root/d/a", "ignore");
    await d.startChild(worker("a", { restart }));
    await d.startChild(worker("b", { restart }));
    expect(tree.states(d)).toEqual(["b:running"]);
  },
);

test.each<RestartType>(["transient", "permanent"])(
  "[simple_one_for_one_restart_ignore] a %s child that is skipped when it is restarted is forgotten",
  async (restart) => {
    const { tree, d } = await startDynamic({ intensity: 10 });
    await d.startChild(worker("a", { restart }));
    await tree.exit("d/a", { kind: "killed" });
    expect(tree.states(d)).toEqual(["a:running"]);
    tree.at("d/a").starts.push("ignore");
    await tree.exit("d/a", { kind: "killed" });
    expect(tree.states(d)).toEqual([]);
  },
);

test("[significant_simple] it takes no significant children", async () => {
  const { d } = await startDynamic();
  const spec = worker("a", { restart: "transient", significant: true });
  await expect(d.startChild(spec)).rejects.toMatchObject({ code: "ERR_INVALID_CHILD_SPEC", field: "significant" });
});

describe("stopping", () => {
  // Promise: dynamic-supervisor-stops-children
  test("[simple_one_for_one_shutdown] all children stop at once, each within its own shutdown", async () => {
    const { tree, d } = await startDynamic();
    for (const id of ["a", "b", "c"]) await d.startChild(worker(id, { shutdown: 2_000 }));
    for (const id of ["a", "b"]) tree.at(`d/${id}`).stopPlan = { afterMs: 1_000 };
    tree.at("d/c").stopPlan = { afterMs: 5_000 };
    tree.takeTrace();
    const stopped = tree.root.stop({ reason: { kind: "shutdown" }, shutdown: "infinity", restarting: false });
    await tree.clock.advance(2_000);
    await stopped;
    expect(tree.takeTrace().filter((line) => !line.startsWith("dispose"))).toEqual([
      ...["stop d/a", "stop d/b", "stop d/c"],
      ...["stopped d/a", "stopped d/b", "killed d/c"],
    ]);
  });

  test("[sup_stop_brutal_kill_dynamic] children with brutal_kill are killed without being asked", async () => {
    const { tree, d } = await startDynamic();
    for (let i = 0; i < 10; i++) await d.startChild(worker(`c${i}`, { shutdown: "brutal_kill" }));
    const { children } = await tree.stop();
    expect(children?.[0]?.children?.map(({ killed }) => killed)).toEqual(Array(10).fill(true));
    expect(tree.reports.filter((report) => "context" in report)).toEqual([]);
  });

  test("[sup_stop_timeout_dynamic] one that does not stop in time is killed, the others are not", async () => {
    const { tree, d } = await startDynamic();
    await d.startChild(worker("a", { shutdown: 1_000 }));
    await d.startChild(worker("b", { shutdown: 1_000 }));
    tree.at("d/b").stopPlan = { afterMs: Infinity };
    const stopped = tree.root.stop({ reason: { kind: "shutdown" }, shutdown: "infinity", restarting: false });
    await tree.clock.advance(1_000);
    const report = stopReport((await stopped).children![0]);
    expect([report["root/d/a"].killed, report["root/d/b"].killed]).toEqual([false, true]);
  });

  test.each<RestartType>(["temporary", "transient", "permanent"])(
    "[sup_stop_non_shutdown_exit_dynamic] %s children may end with any reason, and it stops all the same",
    async (restart) => {
      const { tree, d } = await startDynamic();
      const reasons = [{ kind: "normal" }, { kind: "shutdown" }, { kind: "shutdown", detail: "test" }, BOOM] as const;
      for (const [i, reason] of reasons.entries()) {
        await d.startChild(worker(`c${i}`, { restart }));
        tree.at(`d/c${i}`).stopPlan = { reason };
      }
      await tree.stop();
      const errors = tree.reports.filter((report) => "context" in report).map(({ id }) => id);
      expect(errors).toEqual(restart === "permanent" ? ["root/d/c0", "root/d/c2", "root/d/c3"] : ["root/d/c3"]);
    },
  );
});

describe("maxChildren", () => {
  test("one child more is ERR_MAX_CHILDREN, until another has ended", async () => {
    const { tree, d } = await startDynamic({ maxChildren: 2 });
    await d.startChild(worker("a"));
    await d.startChild(worker("b", { restart: "temporary" }));
    await expect(d.startChild(worker("c"))).rejects.toMatchObject({ code: "ERR_MAX_CHILDREN", id: "root/d/c" });
    await tree.exit("d/b", BOOM);
    await d.startChild(worker("c"));
    expect(tree.states(d)).toEqual(["a:running", "c:running"]);
  });

  test("a child that is being started takes up its place", async () => {
    const { tree, d } = await startDynamic({ maxChildren: 1 });
    tree.plans.set("root/d/a", "hang");
    const a = d.startChild(worker("a"));
    await expect(d.startChild(worker("b"))).rejects.toMatchObject({ code: "ERR_MAX_CHILDREN" });
    tree.at("d/a").started();
    await a;
  });
});

describe("a template", () => {
  const template = {
    id: "session",
    actor: "session.actor.js",
    restart: "transient",
    args: { room: 1 },
    mailbox: { capacity: 8, overflow: "reject" },
    backoff: { minMs: 10 },
  } as const;

  test("[simple_one_for_one_extra] says what startChild need not say, down to single fields of mailbox and backoff", async () => {
    const { tree, d } = await startDynamic({ template });
    await d.startChild({ id: "x", args: { room: 2 }, mailbox: { capacity: 16 } } as never);
    expect(tree.at("d/x").spec).toMatchObject({
      kind: "actor",
      actor: pathToFileURL("session.actor.js"),
      restart: "transient",
      args: { room: 2 },
      mailbox: { capacity: 16, overflow: "reject" },
      backoff: { minMs: 10 },
    });
  });

  test("names those that come without an id after itself", async () => {
    const { tree, d } = await startDynamic({ template });
    await d.startChild({ id: "session-2" } as never);
    for (let i = 0; i < 3; i++) await d.startChild({} as never);
    expect(tree.states(d).map((state) => state.split(":")[0])).toEqual([
      "session-2",
      "session-1",
      "session-3",
      "session-4",
    ]);
  });

  test("does not touch a spec of another kind", async () => {
    const { tree, d } = await startDynamic({ template });
    await d.startChild(supervisor({ id: "s", children: [worker("w")] }));
    expect(tree.at("d/s/w").state).toBe("up");
  });

  test("that is wrong is refused with the supervisor's own spec", async () => {
    const tree = await startTree();
    const spec = dynamicSupervisor({ id: "d", template: { ...template, mailbox: { capcity: 8 } as never } });
    await expect(tree.ref.startChild(spec)).rejects.toMatchObject({
      code: "ERR_INVALID_CHILD_SPEC",
      field: "template.mailbox.capcity",
    });
  });
});

test("[simple_one_for_one_scale_many_temporary_children] many children come and go", async () => {
  const { tree, d } = await startDynamic();
  const ids = Array.from({ length: 1_000 }, (_, i) => `c${i}`);
  await Promise.all(ids.map((id) => d.startChild(worker(id, { restart: "temporary" }))));
  expect(d.countChildren().active).toBe(1_000);
  await Promise.all(ids.map((id) => d.terminateChild(id)));
  expect(d.countChildren().specs).toBe(0);
  expect(tree.exitReason).toBeNull();
});
