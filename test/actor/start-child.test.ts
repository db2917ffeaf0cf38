import type { TreeNode } from "@mini-otp/runtime";
import { type Probe, probe, runInline } from "@mini-otp/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import nest from "../fixtures/nest.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";

async function nested(options: { children?: readonly string[]; restart?: "permanent" | "temporary" } = {}) {
  const system = await testSystem({ intensity: 100 });
  const told = probe({ system });
  const { children = [], ...spec } = options;
  const actor = fixture("nest");
  const parent = await system.startChild<typeof nest>({ id: "parent", actor, args: { told, children }, ...spec });
  return { system, told, parent };
}

const terminated = (told: Probe): unknown[] => told.received.map(({ args }) => args[0]);

function pathsOf(node: TreeNode): string[] {
  return [node.id, ...(node.children ?? []).flatMap(pathsOf)];
}

// Promise: start-child-tree
test("an actor starts children: they are below it in the tree, with their own references and numbers", async () => {
  const { system, parent } = await nested();
  const first = await parent.call("adopt", { id: "first" });
  const second = await parent.call("adopt");
  expect([first.id, second.id]).toEqual(["root/parent/first", "root/parent/child-1"]);
  expect(await first.call("where")).toBe("root/parent/first");
  const grandchild = await first.call("adopt", { id: "deep", name: "deep" });
  expect(grandchild.id).toBe("root/parent/first/deep");
  expect(system.whereis("deep")?.id).toBe(grandchild.id);
  expect(pathsOf(system.tree())).toEqual([
    "root",
    "root/parent",
    "root/parent/first",
    "root/parent/first/deep",
    "root/parent/child-1",
  ]);
  expect(system.stats(first).state).toBe("running");
  expect(await parent.call("askAll", [first, second, grandchild])).toHaveLength(3);
  const children = system.childrenOf(parent);
  expect(children?.whichChildren().map(({ id, state }) => `${id} ${state}`)).toEqual([
    "child-1 running",
    "first running",
  ]);
  await children?.terminateChild("first");
  expect(pathsOf(system.tree())).toEqual(["root", "root/parent", "root/parent/child-1"]);
  expect(system.childrenOf(second)).toBeUndefined();
});

// Promise: start-child-stop
test("children end before their parent, and their children before them", async () => {
  const { system, told, parent } = await nested({ children: ["a"] });
  const [child] = (system.tree().children ?? []).flatMap(({ children }) => children ?? []);
  expect(child?.id).toBe("root/parent/a");
  const b = await parent.call("adopt", { id: "b" });
  await b.call("adopt", { id: "c" });
  await system.terminateChild("parent");
  await eventually(() => told.received.length === 4);
  const order = terminated(told);
  expect(order.indexOf("root/parent/b/c")).toBeLessThan(order.indexOf("root/parent/b"));
  expect(order.at(-1)).toBe("root/parent");
  expect(pathsOf(system.tree())).toEqual(["root", "root/parent"]);
  await expect(b.call("where")).rejects.toMatchObject({ code: "ERR_NOPROC" });
});

// Promise: start-child-restart
test("a child that crashes is restarted by its own rules, and its parent goes on", async () => {
  const { system, parent } = await nested();
  const permanent = await parent.call("adopt", { id: "permanent" });
  const temporary = await parent.call("adopt", { id: "temporary", restart: "temporary" });
  await permanent.call("crash").catch(() => {});
  await temporary.call("crash").catch(() => {});
  expect(await permanent.call("incarnation")).toBe(2);
  await eventually(() => !pathsOf(system.tree()).includes(temporary.id));
  expect(system.stats(parent).restarts).toBe(0);
});

// Promise: start-child-parent-restart
test("a crash of the parent ends its children in order before it is restarted, with those of its init", async () => {
  const { system, told, parent } = await nested({ children: ["own"] });
  const adopted = await parent.call("adopt", { id: "adopted" });
  await parent.call("crash").catch(() => {});
  expect(await parent.call("incarnation")).toBe(2);
  expect(terminated(told).toSorted()).toEqual(["root/parent/adopted", "root/parent/own"]);
  expect(pathsOf(system.tree())).toEqual(["root", "root/parent", "root/parent/own"]);
  await expect(adopted.call("where")).rejects.toMatchObject({ code: "ERR_NOPROC" });
  // The paths are free again.
  expect((await parent.call("adopt", { id: "adopted" })).id).toBe("root/parent/adopted");
});

test("children that fail more often than 3 times in 5 s end their parent, which its own supervisor restarts", async () => {
  const { system, parent } = await nested();
  const child = await parent.call("adopt", { id: "child" });
  for (let crashes = 0; crashes < 4; crashes++) await child.call("crash").catch(() => {});
  await eventually(async () => (await parent.call("incarnation")) === 2);
  expect(pathsOf(system.tree())).toEqual(["root", "root/parent"]);
});

test("a kill of the parent ends its children too, and an init that fails leaves none behind", async () => {
  const { system, told, parent } = await nested({ restart: "temporary" });
  await parent.call("adopt", { id: "child" });
  system.exit(parent, "kill");
  await eventually(() => pathsOf(system.tree()).length === 1);
  const spec = { id: "failing", actor: fixture("nest"), args: { told, children: ["early"], fails: true } };
  await expect(system.startChild<typeof nest>(spec)).rejects.toMatchObject({ code: "ERR_INIT_FAILED" });
  await eventually(() => terminated(told).includes("root/failing/early"));
});

test("an actor that is asked to stop starts no more children", async () => {
  const { system, parent } = await nested();
  const waiting = parent.call("waitAndAttempt", 100);
  // It is being handled.
  await eventually(() => parent.stats().handling?.method === "waitAndAttempt");
  await system.terminateChild("parent");
  expect(await waiting).toMatchObject({ code: "ERR_NOPROC" });
  expect(pathsOf(system.tree())).toEqual(["root", "root/parent"]);
});

test("a child that hangs holds its parent's stop up for its own shutdown only", async () => {
  const { system, parent } = await nested();
  const child = await parent.call("adopt", { id: "child", shutdown: 100 });
  await child.cast("hang");
  const since = performance.now();
  await system.terminateChild("parent");
  expect(performance.now() - since).toBeLessThan(4000);
});

test("a child's spec that cannot be is refused, with what is wrong", async () => {
  const { parent } = await nested();
  await parent.call("adopt", { id: "taken" });
  const actor = fixture("nest").href;
  const refused: [object, object][] = [
    [
      { actor, heap: 3 },
      { code: "ERR_INVALID_CHILD_SPEC", field: "heap" },
    ],
    [
      { actor, restart: "always" },
      { code: "ERR_INVALID_CHILD_SPEC", field: "restart" },
    ],
    [
      { kind: "supervisor", id: "s", children: [] },
      { code: "ERR_INVALID_CHILD_SPEC", field: "kind" },
    ],
    [
      { actor, id: "taken", args: {} },
      { code: "ERR_ALREADY_STARTED", id: "root/parent/taken" },
    ],
    [{ actor: fixture("no-such").href, id: "none" }, { code: "ERR_ACTOR_MODULE" }],
    [
      { actor, id: "failing", args: { fails: true } },
      { code: "ERR_INIT_FAILED", id: "root/parent/failing" },
    ],
  ];
  for (const [spec, error] of refused) expect(await parent.call("attempt", spec)).toMatchObject(error);
  await expect(parent.with({ timeoutMs: 2000 }).call("function")).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
});

test("an actor starts a router, whose members are below it", async () => {
  const { system, parent } = await nested();
  const router = await parent.call("adopt", { kind: "router", id: "r", size: 2, route: "round_robin" } as never);
  expect(await router.call("where")).toMatch(/^root\/parent\/r\/[01]$/);
  expect(pathsOf(system.tree())).toContain("root/parent/r/1");
});

// Promise: start-child-inline
test("an inline actor starts children on its thread, which end before it and before its restart", async () => {
  const told = probe();
  const parent = await runInline(nest, { told, children: ["own"] }, { id: "parent" });
  onTestFinished(async () => void (await parent.stop()));
  const child = await parent.call("adopt", { id: "adopted" });
  expect(child.id).toBe("parent/adopted");
  expect(await child.call("where")).toBe("parent/adopted");
  await child.call("crash").catch(() => {});
  expect(await child.call("incarnation")).toBe(2);
  await parent.call("crash").catch(() => {});
  expect(await parent.call("incarnation")).toBe(2);
  expect(terminated(told).toSorted()).toEqual(["parent/adopted", "parent/own"]);
  await expect(child.call("where")).rejects.toMatchObject({ code: "ERR_NOPROC" });
  await parent.stop();
  expect(terminated(told).at(-1)).toBe("parent");
});
