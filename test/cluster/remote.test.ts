import { remote } from "@mini-otp/cluster";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import { type ActorRef, supervisor } from "@mini-otp/runtime";
import { afterEach, describe, expect, it } from "vitest";
import type Worker from "./fixtures/worker.actor.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
type Ref = ActorRef<typeof Worker>;
let nodes: TestCluster;

afterEach(() => nodes[Symbol.asyncDispose]());

async function offering(options: object = { allow: { start: ["a"] } }): Promise<void> {
  nodes = await testCluster({ nodes: 1 });
  await nodes.start("b", { offers: { indexer: WORKER }, labels: { role: "backend" }, ...options });
  await nodes.connected();
}

const spec = (more: object = {}) =>
  remote<typeof Worker>({ id: "indexer", offer: "indexer", on: { node: "b" }, restart: "temporary", ...more });

describe("a child that is supervised here and runs on another node", () => {
  it("is started there, by its node or its labels, and stopped there when it is stopped here", async () => {
    await offering();
    const { system } = nodes.node("a");
    for (const on of [{ node: "b" }, { anyOf: { role: "backend" } }]) {
      const ref = (await system.startChild(spec({ on }))) as unknown as Ref;
      expect(ref.id).toMatch(/^b:root\/cluster\/indexer-for-a-\d+$/);
      expect(await ref.call("echo", 1)).toBe(1);
      await system.terminateChild("indexer");
      await until("its end", () => nodes.node("b").system.stats().actors === 0);
    }
  });

  it("has a spec that may be started on several systems of one process: each has an actor of its own", async () => {
    await offering({ allow: { start: ["*"] } });
    const c = await nodes.start("c");
    await nodes.connected();
    const one = spec();
    const ofA = (await nodes.node("a").system.startChild(one)) as unknown as Ref;
    const ofC = (await c.system.startChild(one)) as unknown as Ref;
    await nodes.node("a").system.terminateChild("indexer");
    await until("its end", () => nodes.node("b").system.stats().actors === 1);
    expect(await ofC.call("echo", "still there")).toBe("still there");
    await expect(ofA.call("echo", 1)).rejects.toMatchObject({ code: "ERR_NOPROC" });
    await c.system.terminateChild("indexer");
    await until("the other's end", () => nodes.node("b").system.stats().actors === 0);
  });

  it("runs on the nodes with its labels in turn, whatever other systems of the process start", async () => {
    const offers = { indexer: WORKER };
    nodes = await testCluster({ nodes: 4, offers, labels: { role: "backend" }, allow: { start: ["*"] } });
    const fitting = spec({ on: { anyOf: { role: "backend" } } });
    const chosen = new Map<string, Set<string>>();
    for (let i = 0; i < 3; i++) {
      for (const { name, system } of nodes.nodes.slice(0, 3)) {
        const ref = (await system.startChild(fitting)) as unknown as Ref;
        const on = ref.id.slice(0, ref.id.indexOf(":"));
        chosen.set(name, (chosen.get(name) ?? new Set()).add(on));
        await system.terminateChild("indexer");
      }
    }
    expect([...chosen.values()].map((on) => on.size)).toEqual([3, 3, 3]);
  });

  it("ends here with it, and is started again by its supervisor here", async () => {
    await offering();
    const { system } = nodes.node("a");
    await system.startChild(supervisor({ id: "top", children: [spec({ restart: "permanent" })] }));
    const child = (): Ref | undefined => system.child("top").child("indexer") as Ref | undefined;
    const first = child() as Ref;
    await first.cast("crash");
    const second = await until("the next", () => {
      const now = child();
      return now !== undefined && now.uid !== first.uid ? now : undefined;
    });
    expect(await second.call("echo", 2)).toBe(2);
    expect(nodes.node("b").system.stats().actors).toBe(1);
  });

  it("50. is refused when it is not offered, not allowed, or there is no such node", async () => {
    await offering({ allow: { start: ["z"] } });
    const { system } = nodes.node("a");
    const failing = (more: object) => expect(system.startChild(spec(more))).rejects;
    await failing({}).toMatchObject({
      code: "ERR_INIT_FAILED",
      cause: { code: "ERR_NOT_ALLOWED", node: "b", by: "a" },
    });
    await failing({ on: { node: "c" } }).toMatchObject({ cause: { code: "ERR_NO_CONNECTION", node: "c" } });
    await failing({ on: { anyOf: { role: "none" } } }).toMatchObject({ cause: { code: "ERR_NO_CONNECTION" } });
    await nodes.stop("b");
    await nodes.start("b", { offers: { indexer: WORKER }, allow: { start: ["*"] } });
    await nodes.connected();
    await failing({ offer: "other" }).toMatchObject({ cause: { code: "ERR_NOT_OFFERED", node: "b", offer: "other" } });
    expect(nodes.node("b").system.stats().actors).toBe(0);
  });

  it.each([
    ["on", "b"],
    ["on", { node: "B" }],
    ["on", { node: "b", anyOf: { role: "backend" } }],
    ["on", { anyOf: { role: 1 } }],
    ["on", {}],
    ["on", undefined],
    ["offer", ""],
    ["offer", 7],
  ])("whose spec has a wrong %s (%o) is refused where it is written", (field, value) => {
    expect(() => spec({ [field]: value })).toThrow(expect.objectContaining({ code: "ERR_INVALID_CHILD_SPEC", field }));
  });

  it("50. a node stops what it has started, and nothing else of the other's", async () => {
    await offering({ allow: { start: ["*"] } });
    const c = await nodes.start("c");
    await nodes.connected();
    const ref = (await nodes.node("a").system.startChild(spec())) as unknown as Ref;
    const theirs = (await c.system.startChild(spec())) as unknown as Ref;
    await c.system.terminateChild("indexer");
    await until("its end", () =>
      theirs.call("echo", 1).then(
        () => false,
        () => true,
      ),
    );
    expect(await ref.call("echo", "still there")).toBe("still there");
  });

  it("ends there when the node that supervises it is lost", async () => {
    await offering();
    const ref = (await nodes.node("a").system.startChild(spec())) as unknown as Ref;
    await ref.call("echo", 1);
    await nodes.kill("a");
    await until("its end", () => nodes.node("b").system.stats().actors === 0);
  });
});
