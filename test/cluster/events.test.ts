import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef, StreamedEvent } from "@mini-otp/runtime";
import { afterEach, describe, expect, it } from "vitest";
import { MemoryHub } from "#cluster/engine/memory-engine.js";
import { CAST } from "#cluster/gateway/records.js";
import type Worker from "./fixtures/worker.actor.js";
import { nodeOn } from "./node-on.js";
import { body, referenceArgs, Stranger } from "./stranger.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
let nodes: TestCluster | undefined;

afterEach(async () => {
  await nodes?.[Symbol.asyncDispose]();
  nodes = undefined;
});

/** Node a, a peer x that sends what it likes, and on a the reference to an actor of x. */
async function withPeer(options: object = {}) {
  const hub = new MemoryHub();
  const { system, cluster } = await nodeOn(hub, "a", options);
  const own = (await system.startChild({ id: "own", actor: WORKER })) as ActorRef<typeof Worker>;
  await cluster.register("own", own);
  const peer = new Stranger(hub);
  await until("a session", () => cluster.nodes().length === 1);
  peer.data(body([CAST, { target: own.uid, method: "note", ...referenceArgs(["x", "x1", 7, "root/far"]) }]));
  await until("the reference", async () => (await own.call("count")) === 1);
  const [far] = (await own.call("noted")) as ActorRef<typeof Worker>[];
  return { system, cluster, peer, far };
}

describe("system.on and system.events", () => {
  it("tell what cluster.on tells, before it, with the root's id", async () => {
    nodes = await testCluster({ nodes: 1, downAfterMs: 200 });
    const { system, cluster } = nodes.node("a");
    const told: string[] = [];
    const streamed: StreamedEvent[] = [];
    const end = new AbortController();
    const reading = (async () => {
      for await (const event of system.events({ signal: end.signal })) {
        if (/node|engine|lease|link/.test(event.event)) streamed.push(event);
      }
    })();
    system.on("node_up", ({ id, node, at }) => told.push(`system ${id} up ${node} ${at <= performance.now()}`));
    cluster.on("node_up", ({ node }) => told.push(`cluster up ${node}`));
    system.on("node_down", ({ id, node, why }) => told.push(`system ${id} down ${node} ${why}`));
    cluster.on("node_down", ({ node, why }) => told.push(`cluster down ${node} ${why}`));
    await nodes.start("b");
    await nodes.connected();
    await nodes.stop("b");
    await until("the end", () => told.length === 4);
    expect(told).toEqual(["system root up b true", "cluster up b", "system root down b left", "cluster down b left"]);
    nodes.disconnect("a");
    await until("the engine's end", () => streamed.some(({ event }) => event === "engine_down"));
    nodes.reconnect("a");
    await until("the engine", () => streamed.some(({ event }) => event === "engine_up"));
    end.abort();
    await reading.catch(() => {});
    expect(streamed.map(({ event }) => event).slice(0, 2)).toEqual(["node_up", "node_down"]);
    expect(streamed.every(({ id }) => id === "root")).toBe(true);
  });

  it("tell once that a link has been full for a second, and again after it had room", async () => {
    const { system, cluster, far, peer } = await withPeer({ window: { messages: 4096, bytes: 8 * 2 ** 20 } });
    const told: string[] = [];
    system.on("link_full", ({ node }) => told.push(`system ${node}`));
    cluster.on("link_full", ({ node }) => told.push(`cluster ${node}`));
    const block = new Uint8Array(64 * 1024);
    for (let i = 0; i < 40; i++) expect(far.tryCast("note", block)).not.toBe("closed");
    await until("the word", () => told.length > 0);
    expect(told).toEqual(["system x", "cluster x"]);
    expect(cluster.nodes()).toHaveLength(1);
    peer.greetAnew({});
    await until("another session", () => cluster.stats().proxies === 1 && cluster.nodes().length === 1);
    expect(told).toHaveLength(2);
  });
});

describe("48. a node whose protocol does not overlap", () => {
  it("is told of, and messages to its actors are refused as such until it comes in another version", async () => {
    const { cluster, far, peer } = await withPeer();
    const down: string[] = [];
    cluster.on("node_down", ({ node, why }) => down.push(`${node} ${why}`));
    peer.greetAnew({ oldest: 7, newest: 9 });
    await until("its end", () => down.includes("x incompatible"));
    await expect(far.call("echo", 1)).rejects.toMatchObject({
      code: "ERR_NODE_INCOMPATIBLE",
      node: "x",
      method: "echo",
      message: expect.stringContaining("another version of the cluster's protocol"),
    });
    await expect(far.cast("note", 1)).rejects.toMatchObject({ code: "ERR_NODE_INCOMPATIBLE" });
    expect(far.tryCast("note", 1)).toBe("closed");
    peer.greetAnew({ oldest: 1, newest: 9 });
    await until("a session", () => cluster.nodes().length === 1);
    expect(far.tryCast("note", 1)).toBe("ok");
  });
});
