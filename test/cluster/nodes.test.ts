import { singleton } from "@mini-otp/cluster";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef } from "@mini-otp/runtime";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Bucket } from "#cluster/engine/engine.js";
import { newIncarnation, startAfterFormer } from "#cluster/nodes/incarnation.js";
import type Ledger from "./fixtures/ledger.actor.js";
import type Worker from "./fixtures/worker.actor.js";
import { until } from "./until.js";

const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);
const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
let nodes: TestCluster;

afterEach(() => nodes?.[Symbol.asyncDispose]());

async function worker(node: string, name = "worker"): Promise<ActorRef<typeof Worker>> {
  const { system, cluster } = nodes.node(node);
  const ref = (await system.startChild({ id: name, actor: WORKER })) as ActorRef<typeof Worker>;
  await cluster.register(name, ref);
  return ref;
}

async function declare(node: string): Promise<void> {
  await nodes.node(node).system.startChild(singleton({ id: "billing", actor: LEDGER, args: { of: node } }));
}

const billing = (node: string): ActorRef<typeof Ledger> => nodes.node(node).cluster.singleton<typeof Ledger>("billing");

/** Who has it, from when that can be asked again: a call that had left when its owner was lost rejects. */
async function owner(node: string): Promise<string> {
  return (await until("an owner", () =>
    billing(node)
      .call("of")
      .catch(() => undefined),
  )) as string;
}

/** What a node is told of another, and of its own lease. */
function eventsOf(node: string): string[] {
  const events: string[] = [];
  const { cluster } = nodes.node(node);
  cluster.on("node_up", ({ node: other }) => events.push(`up ${other}`));
  cluster.on("node_down", ({ node: other, why }) => events.push(`down ${other} ${why}`));
  cluster.on("lease_lost", ({ why }) => events.push(`lease_lost ${why}`));
  return events;
}

describe("the view of the nodes", () => {
  it("30. is the same on both sides: one that was declared down learns it by the new epoch, and declares the other down", async () => {
    nodes = await testCluster({ nodes: 1, downAfterMs: 200 });
    // It would think its peer up for a minute.
    await nodes.start("b", { downAfterMs: 60_000, goneAfterMs: 60_000 });
    await nodes.connected();
    const [a, b] = [eventsOf("a"), eventsOf("b")];
    nodes.disconnect("a");
    await until("the end", () => a.includes("down b silent"));
    expect(b).toEqual([]);
    nodes.reconnect("a");
    await until("the other end", () => b.length === 2);
    expect(b).toEqual(["down a reset", "up a"]);
    await until("the view here", () => a.length === 2);
    expect(a).toEqual(["down b silent", "up b"]);
  });

  it("31. a connection that is lost is not its node's loss: what the node owns stays its own when it is back within holdMs", async () => {
    const lease = { renewMs: 100, holdMs: 15_000, takeOverMs: 30_000 };
    nodes = await testCluster({ nodes: 2, downAfterMs: 200, lease });
    const there = await worker("b");
    await declare("b");
    const token = await billing("a").call("token");
    const here = await until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>("worker"));
    const [a, b] = [eventsOf("a"), eventsOf("b")];
    nodes.disconnect("b");
    await until("both ends", () => a.length === 1 && b.length === 1);
    expect(nodes.node("b").cluster.whereis("worker")?.id).toBe(there.id);
    await expect(here.call("echo", 1)).rejects.toMatchObject({ code: "ERR_NO_CONNECTION" });
    nodes.reconnect("b");
    await nodes.connected();
    // The same references lead to the same lives.
    expect(await here.call("echo", 2)).toBe(2);
    expect(await billing("a").call("token")).toEqual(token);
    expect([...a, ...b].filter((event) => event.startsWith("lease_lost"))).toEqual([]);
  });
});

describe("a singleton whose owner is not there any more", () => {
  it("39. runs again within takeOverMs + 2 s of a loss, and within 1 s of an orderly leave", async () => {
    const takeOverMs = 600;
    nodes = await testCluster({ nodes: 3, lease: { renewMs: 50, holdMs: 400, takeOverMs } });
    for (const node of ["b", "c", "a"]) await declare(node);
    expect(await billing("a").call("of")).toBe("b");
    let since = performance.now();
    await nodes.kill("b");
    const next = await owner("a");
    expect(performance.now() - since).toBeLessThan(takeOverMs + 2000);
    const [other] = ["a", "c"].filter((node) => node !== next);
    since = performance.now();
    await nodes.stop(next);
    expect(await owner(other)).toBe(other);
    expect(performance.now() - since).toBeLessThan(1000);
  });
});

describe("the clocks of the machines on which a node runs, one after the other", () => {
  const lease = { renewMs: 1000, holdMs: 60_000, takeOverMs: 90_000 };

  it("26. an incarnation on a machine whose clock is behind the former one's is taken for the later one", async () => {
    nodes = await testCluster({ nodes: 1, downAfterMs: 60_000, lease });
    const clock = vi.spyOn(Date, "now");
    const wall = performance.timeOrigin;
    clock.mockImplementation(() => Math.floor(wall + performance.now()) + 20_000);
    const former = (await nodes.start("b")).cluster.self;
    await nodes.connected();
    await nodes.stop("b");
    clock.mockRestore();
    const { self } = (await nodes.start("b")).cluster;
    expect(self.since).toBe(former.since + 1);
    expect(self.incarnation > former.incarnation).toBe(true);
    await until("it", () => nodes.node("a").cluster.nodes()[0]?.incarnation === self.incarnation);
    // Within the second in which the former one has ended: their sessions are told apart.
    await worker("b", "there");
    const there = await until("its name", () => nodes.node("a").cluster.whereis<typeof Worker>("there"));
    expect(await there.call("echo", 1)).toBe(1);
  });

  it("and no start that is far off, or none, is taken for one", async () => {
    const bucket = (incarnation: unknown) =>
      ({ read: async () => ({ key: "node.b", value: { incarnation }, revision: 1 }) }) as unknown as Bucket;
    const before = Date.now();
    for (const former of [newIncarnation(before + 9e7), newIncarnation(before - 9e7), "", "?", 7, undefined]) {
      const startedAt = await startAfterFormer(bucket(former), "b");
      expect(startedAt).toBeGreaterThanOrEqual(before);
      expect(startedAt).toBeLessThan(before + 60_000);
    }
    expect(await startAfterFormer(bucket(newIncarnation(before + 1e7)), "b")).toBe(before + 1e7 + 1);
    const silent = { read: () => Promise.reject(new Error("no answer")) } as unknown as Bucket;
    expect(await startAfterFormer(silent, "b")).toBeGreaterThanOrEqual(before);
  });
});
