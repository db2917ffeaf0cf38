import { describe, expect, test } from "vitest";
import { dynamicSupervisor, supervisor } from "#runtime/supervision/child-spec.js";
import type { SupervisorRef } from "#runtime/supervision/supervisor-ref.js";
import { BOOM, startTree, worker } from "./fake-tree.js";

const FRAGILE = { intensity: 0, children: [worker("w")] };

describe("a nested supervisor that gives up", () => {
  // Promise: parent-exit-like-any
  test("is restarted by its own supervisor when it is permanent, which it is by default", async () => {
    const tree = await startTree({ children: [supervisor({ id: "s", ...FRAGILE })] });
    await tree.exit("s/w", BOOM);
    expect(tree.takeTrace()).toEqual(["exit s/w", "start s/w"]);
    expect(tree.states()).toEqual(["s:running"]);
    expect(tree.exitReason).toBeNull();
  });

  // Promise: parent-exit-like-any
  test("stays down when it is transient, for it ends with shutdown", async () => {
    const tree = await startTree({ children: [supervisor({ id: "s", restart: "transient", ...FRAGILE })] });
    await tree.exit("s/w", BOOM);
    expect(tree.states()).toEqual(["s:stopped"]);
  });

  // Promise: parent-exit-like-any
  test("is forgotten when it is temporary", async () => {
    const tree = await startTree({ children: [supervisor({ id: "s", restart: "temporary", ...FRAGILE })] });
    await tree.exit("s/w", BOOM);
    expect(tree.states()).toEqual([]);
    expect(tree.at("s/w").state).toBe("disposed");
  });

  test("is one failure for its own supervisor, and so on up to the root", async () => {
    const tree = await startTree({
      intensity: 1,
      children: [supervisor({ id: "s", intensity: 1, children: [supervisor({ id: "t", ...FRAGILE })] })],
    });
    for (let i = 0; i < 3; i++) await tree.exit("s/t/w", BOOM);
    expect(tree.exitReason).toBeNull();
    await tree.exit("s/t/w", BOOM);
    const because = (id: string, reason: unknown) => ({
      kind: "shutdown",
      detail: { kind: "reached_max_restart_intensity", id, reason },
    });
    expect(tree.exitReason).toEqual(because("root/s", because("root/s/t", because("root/s/t/w", BOOM))));
  });

  test("has stopped its children before its own supervisor hears of it", async () => {
    const tree = await startTree({
      children: [supervisor({ id: "s", intensity: 0, children: [worker("x"), worker("w")] }), worker("after")],
    });
    tree.at("s/x").stopPlan = { afterMs: 50 };
    await tree.exit("s/w", BOOM);
    expect(tree.states()).toEqual(["s:running", "after:running"]);
    expect(tree.reported("actor_exited").map(({ id }) => id)).toEqual(["root/s/w"]);
    await tree.clock.advance(50);
    expect(tree.reported("actor_exited").map(({ id }) => id)).toEqual(["root/s/w", "root/s/x", "root/s"]);
  });
});

// Promise: restarted-supervisor-children-spec
test("[tree] a restarted supervisor has the children of its spec, not those that were added", async () => {
  const tree = await startTree({
    strategy: "one_for_all",
    children: [
      supervisor({
        id: "s",
        children: [worker("declared"), worker("deleted"), worker("once", { restart: "temporary" })],
      }),
      supervisor({ id: "t", intensity: 0 }),
      dynamicSupervisor({ id: "d" }),
    ],
  });
  const [s, t, d] = ["s", "t", "d"].map((id) => tree.ref.child(id) as SupervisorRef);
  await s.startChild(worker("added"));
  await s.terminateChild("deleted");
  await s.deleteChild("deleted");
  await t.startChild(worker("w"));
  await d.startChild(worker("dynamic"));
  await tree.exit("s/once", BOOM);
  expect(tree.states(s)).toEqual(["declared:running", "added:running"]);

  await tree.exit("t/w", BOOM);
  expect(tree.states()).toEqual(["s:running", "t:running", "d:running"]);
  expect(tree.states(s)).toEqual(["declared:running", "deleted:running", "once:running"]);
  expect(tree.states(t)).toEqual([]);
  expect(tree.states(d)).toEqual([]);
  expect(tree.at("s/added").state).toBe("disposed");
  expect(tree.at("d/dynamic").state).toBe("disposed");
});

test("a declared child keeps its slot over the restart of its supervisor: references and mailbox stay valid", async () => {
  const tree = await startTree({
    children: [supervisor({ id: "s", intensity: 0, children: [worker("w"), worker("v")] })],
  });
  const before = tree.at("s/v");
  const ref = tree.ref.child("s") as SupervisorRef;
  await tree.exit("s/w", BOOM);
  expect(ref.child("v")).toBe(before.ref);
  expect(before.incarnation).toBe(2);
  expect(tree.ref.child("s")).toBe(ref);
  expect(tree.created.filter(({ path }) => path === "root/s/v")).toHaveLength(1);
});

test("a supervisor that stays down closes the mailboxes under it, one that is restarted does not", async () => {
  const tree = await startTree({
    children: [supervisor({ id: "s", intensity: 0, children: [worker("v", { backoff: { minMs: 5 } }), worker("w")] })],
  });
  tree.at("s/v").starts.push("hang");
  await tree.exit("s/w", BOOM);
  expect(tree.at("s/w").state).toBe("down");
  tree.at("s/v").started();
  await tree.settle();
  await tree.ref.terminateChild("s");
  expect(tree.at("s/w").state).toBe("parked");
  expect(tree.at("s/v").state).toBe("parked");
  await tree.ref.deleteChild("s");
  expect(tree.at("s/w").state).toBe("disposed");
});

test("[simple_global_supervisor] a supervisor and the child under it can be restarted by hand", async () => {
  const tree = await startTree({ children: [supervisor({ id: "s", children: [worker("w")] })] });
  const s = tree.ref.child("s") as SupervisorRef;
  await s.terminateChild("w");
  await s.restartChild("w");
  expect(tree.at("s/w").incarnation).toBe(2);
  await tree.ref.terminateChild("s");
  expect(await tree.ref.restartChild("s")).toBe(s);
  expect(tree.states(s)).toEqual(["w:running"]);
});

test("a supervisor that does not run refuses administration with ERR_NOPROC", async () => {
  const tree = await startTree({ children: [supervisor({ id: "s", children: [worker("w")] })] });
  const s = tree.ref.child("s") as SupervisorRef;
  await tree.ref.terminateChild("s");
  await expect(s.startChild(worker("x"))).rejects.toMatchObject({ code: "ERR_NOPROC", id: "root/s" });
  await expect(s.terminateChild("w")).rejects.toMatchObject({ code: "ERR_NOPROC" });
  expect(tree.states(s)).toEqual(["w:stopped"]);
});
