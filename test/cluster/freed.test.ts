import { singleton } from "@mini-otp/cluster";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef } from "@mini-otp/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type Ledger from "./fixtures/ledger.actor.js";
import type Worker from "./fixtures/worker.actor.js";
import { until } from "./until.js";

const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);
const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
let nodes: TestCluster;
let [onA, onB]: ActorRef<typeof Worker>[] = [];

beforeEach(async () => {
  // No lease ends in the time of a test.
  nodes = await testCluster({ nodes: 2, lease: { renewMs: 1000, holdMs: 60_000, takeOverMs: 90_000 } });
  [onA, onB] = await Promise.all(nodes.nodes.map(({ system }) => system.startChild({ id: "worker", actor: WORKER })));
  await nodes.node("a").cluster.register("prices", onA);
});
afterEach(() => nodes[Symbol.asyncDispose]());

const registersOnB = (): Promise<boolean> =>
  nodes
    .node("b")
    .cluster.register("prices", onB)
    .then(
      () => true,
      (error) => {
        expect(error).toMatchObject({ code: "ERR_NAME_TAKEN" });
        return false;
      },
    );

describe("what is given up while the bucket does not answer is free once it does, and not only with its node's lease", () => {
  it("a name that is unregistered, which rejects", async () => {
    nodes.disconnect("a");
    await expect(nodes.node("a").cluster.unregister("prices")).rejects.toMatchObject({ code: "ERR_CLUSTER_ENGINE" });
    expect(nodes.node("a").cluster.whereis("prices")).toBeUndefined();
    nodes.reconnect("a");
    await until("the name", registersOnB);
  });

  it("a name whose holder ends", async () => {
    nodes.disconnect("a");
    await nodes.node("a").system.terminateChild("worker");
    await until("its end", () => nodes.node("a").cluster.whereis("prices") === undefined);
    nodes.reconnect("a");
    await until("the name", registersOnB);
  });

  it("a name that the same node registers again before that", async () => {
    const { cluster } = nodes.node("a");
    nodes.disconnect("a");
    await cluster.unregister("prices").catch(() => {});
    nodes.reconnect("a");
    await cluster.register("prices", onA);
    expect(await registersOnB()).toBe(false);
    expect((await nodes.node("b").cluster.lookup("prices"))?.id).toBe("a:root/worker");
  });

  it("a singleton whose child is terminated", async () => {
    const declare = (node: string) =>
      nodes.node(node).system.startChild(singleton({ id: "billing", actor: LEDGER, args: { of: node } }));
    await declare("a");
    const billing = nodes.node("b").cluster.singleton<typeof Ledger>("billing");
    expect(await billing.call("of")).toBe("a");
    await declare("b");
    nodes.disconnect("a");
    await nodes.node("a").system.terminateChild("billing");
    nodes.reconnect("a");
    await nodes.connected();
    const owner = await until("its new owner", () =>
      billing
        .with({ timeoutMs: 2000 })
        .call("of")
        .catch(() => undefined),
    );
    expect(owner).toBe("b");
  });
});
