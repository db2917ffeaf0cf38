import { type TestCluster, type TestClusterOptions, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef } from "@mini-otp/runtime";
import { afterEach, describe, expect, it } from "vitest";
import type Worker from "./fixtures/worker.actor.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
let nodes: TestCluster | undefined;

afterEach(async () => {
  await nodes?.[Symbol.asyncDispose]();
  nodes = undefined;
});

describe("a cluster in one process", () => {
  it("starts no node that is there already, and does it no harm", async () => {
    nodes = await testCluster({ nodes: 2 });
    const [a, b] = [nodes.node("a"), nodes.node("b")];
    const downs: unknown[] = [];
    a.cluster.on("node_down", (event) => downs.push(event));
    await expect(nodes.start("b")).rejects.toMatchObject({
      code: "ERR_ALREADY_STARTED",
      id: "b",
      message: "start: node=b is there; stop or kill it first",
    });
    const ref = await b.system.startChild<typeof Worker>({ id: "worker", actor: WORKER });
    await b.cluster.register("worker", ref);
    const there = await until("the name", () => a.cluster.whereis<typeof Worker>("worker"));
    expect(await (there as ActorRef<typeof Worker>).call("echo", 1)).toBe(1);
    expect(nodes.node("b")).toBe(b);
    expect(downs).toEqual([]);
  });

  it("starts a name once, of two starts at a time", async () => {
    nodes = await testCluster({ nodes: 1 });
    const outcomes = await Promise.allSettled([nodes.start("b"), nodes.start("b")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await nodes.connected();
  });

  it("starts a node again that was killed, has left or whose system has stopped", async () => {
    nodes = await testCluster({ nodes: 2 });
    await nodes.kill("b");
    await nodes.start("b");
    await nodes.node("b").cluster.leave();
    await nodes.start("b");
    await nodes.node("b").system.stop();
    await nodes.start("b");
    await nodes.connected();
  });

  it("is cut between nodes that there are, each in one group", async () => {
    nodes = await testCluster({ nodes: 2 });
    const cut =
      (...groups: unknown[]) =>
      () =>
        nodes?.partition(...(groups as string[][]));
    expect(cut(["a"], ["z"])).toThrow(new RangeError("node=z: there are a, b"));
    expect(cut(["a"], ["a", "b"])).toThrow(expect.objectContaining({ code: "ERR_INVALID_OPTION", field: "groups" }));
    for (const wrong of ["a", [7], undefined]) {
      expect(cut(["a"], wrong)).toThrow(expect.objectContaining({ code: "ERR_INVALID_OPTION", function: "partition" }));
    }
    expect(nodes.nodes.map(({ cluster }) => cluster.nodes().map(({ state }) => state))).toEqual([["up"], ["up"]]);
    await nodes.kill("b");
    // One that is started again is on its side.
    expect(cut(["a"], ["b"])).not.toThrow();
  });

  it.each<[string, object, string, RegExp]>([
    ["another number of nodes", { nodes: 27 }, "nodes", /^testCluster: nodes=27, must be a whole number from 1 to 26/],
    ["no options", undefined as never, "", /^testCluster: options=undefined/],
    ["a name", { nodes: 1, node: "a" }, "node", /^testCluster: no option node; there are: nodes, labels, /],
    ["a wrong option", { nodes: 1, heartbeatMs: 1 }, "heartbeatMs", /^testCluster: heartbeatMs=1, /],
    [
      "numbers that do not go together",
      { nodes: 1, heartbeatMs: 900 },
      "downAfterMs",
      /^testCluster: downAfterMs=1000, /,
    ],
  ])("says by its own name that it is given %s", async (_, options, field, message) => {
    const error = await testCluster(options as TestClusterOptions).catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({
      code: "ERR_INVALID_OPTION",
      function: "testCluster",
      field,
      message: expect.stringMatching(message),
    });
  });

  it.each<[string, string, object, string, RegExp]>([
    ["a name that is none", "B", {}, "name", /^start: name="B", /],
    ["a cluster", "b", { cluster: "other" }, "cluster", /^start: no option cluster; there are: labels, /],
    [
      "numbers that do not go together",
      "b",
      { lease: { holdMs: 100, renewMs: 90, takeOverMs: 900 } },
      "lease.holdMs",
      /^start: /,
    ],
  ])("says of a start that it is given %s", async (_, name, options, field, message) => {
    nodes = await testCluster({ nodes: 1 });
    const error = await nodes.start(name, options).catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({
      code: "ERR_INVALID_OPTION",
      function: "start",
      field,
      message: expect.stringMatching(message),
    });
  });
});
