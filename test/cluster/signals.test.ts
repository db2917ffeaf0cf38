import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef, Down } from "@mini-otp/runtime";
import { isActorError } from "@mini-otp/runtime";
import { afterEach, describe, expect, it } from "vitest";
import type Worker from "./fixtures/worker.actor.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
type Ref = ActorRef<typeof Worker>;
let nodes: TestCluster;
let started = 0;

afterEach(() => nodes[Symbol.asyncDispose]());

async function two(options: object = {}): Promise<void> {
  nodes = await testCluster({ nodes: 2, ...options });
}

async function worker(node: string, spec: object = {}): Promise<Ref> {
  return (await nodes.node(node).system.startChild({ id: `worker-${++started}`, actor: WORKER, ...spec })) as Ref;
}

async function remote(spec: object = {}): Promise<{ here: Ref; there: Ref }> {
  const there = await worker("b", spec);
  await nodes.node("b").cluster.register(there.id, there);
  const here = await until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>(there.id));
  return { here, there };
}

/** What an actor has been told in `info`. */
async function infos(ref: Ref): Promise<any[]> {
  return (await ref.call("infos")) as any[];
}

describe("monitors over nodes", () => {
  it("20. tell once the exit reason of that life, and noproc if none runs", async () => {
    await two();
    const { here, there } = await remote({ restart: "temporary" });
    const watcher = await worker("a");
    const monitor = await watcher.call("monitor", here);
    const downs: Down[] = [];
    nodes.node("a").system.monitor(here, (down) => downs.push(down));
    await here.cast("crash");
    await until("DOWN", async () => (await infos(watcher)).length === 1 && downs.length === 1);
    const [down] = await infos(watcher);
    expect(down).toMatchObject({ type: "DOWN", monitor, id: here.id, reason: { kind: "error" } });
    expect(down.ref.uid).toBe(here.uid);
    await until("its end", () =>
      there.call("echo", 1).then(
        () => false,
        (error) => isActorError(error, "ERR_NOPROC"),
      ),
    );
    await watcher.call("monitor", here);
    await until("noproc", async () => (await infos(watcher)).length === 2);
    expect((await infos(watcher))[1]).toMatchObject({ type: "DOWN", reason: { kind: "noproc" } });
    expect(downs).toHaveLength(1);
  });

  it("20, 21. tell noconnection when the node is lost, once, also when it comes back; the actor runs on", async () => {
    await two();
    const { here, there } = await remote();
    const watcher = await worker("a");
    await watcher.call("monitor", here);
    await there.call("note", 1);
    nodes.disconnect("b");
    await until("DOWN", async () => (await infos(watcher)).length === 1);
    expect((await infos(watcher))[0].reason).toEqual({ kind: "noconnection", node: "b" });
    nodes.reconnect("b");
    await nodes.connected();
    expect(await here.call("noted")).toEqual([1]);
    expect(await infos(watcher)).toHaveLength(1);
  });

  it("25. node_down comes after every DOWN that it causes, and node_up after node_down", async () => {
    await two();
    const { here } = await remote();
    const seen: string[] = [];
    const { cluster, system } = nodes.node("a");
    cluster.on("node_down", ({ node, why }) => seen.push(`node_down ${node} ${why}`));
    cluster.on("node_up", ({ node }) => seen.push(`node_up ${node}`));
    system.monitor(here, ({ reason }) => seen.push(`DOWN ${reason.kind}`));
    await here.call("echo", 1);
    nodes.disconnect("b");
    await until("node_down", () => seen.length >= 2);
    nodes.reconnect("b");
    await until("node_up", () => seen.length >= 3);
    expect(seen).toEqual(["DOWN noconnection", "node_down b silent", "node_up b"]);
  });

  it("24. both ends of a link that breaks are told, each at its own time", async () => {
    await two();
    const { here, there } = await remote();
    const [one, other] = [await worker("a"), there];
    await one.call("monitor", here);
    const downs: string[] = [];
    for (const name of ["a", "b"]) nodes.node(name).cluster.on("node_down", ({ node }) => downs.push(node));
    nodes.partition(["a"], ["b"]);
    await until("both", () => downs.length === 2);
    expect(downs.sort()).toEqual(["a", "b"]);
    expect(await other.call("echo", "runs on")).toBe("runs on");
  });
});

describe("links over nodes", () => {
  it("22. work both ways: an actor that ends takes its partner along", async () => {
    await two();
    for (const who of ["here", "there"] as const) {
      const { here, there } = await remote({ restart: "temporary" });
      const partner = await worker("a", { restart: "temporary" });
      await partner.call("link", here);
      // It is there when a call that was sent after it is answered.
      await here.call("echo", 1);
      const ends: string[] = [];
      nodes.node("a").system.monitor(partner, ({ reason }) => ends.push(reason.kind));
      nodes.node("b").system.monitor(there, ({ reason }) => ends.push(reason.kind));
      await (who === "here" ? partner : there).cast("crash");
      await until("both ends", () => ends.length === 2);
      expect(ends.sort()).toEqual(["error", "linked"]);
    }
  });

  it("22. noconnection ends both partners unless they trap exits", async () => {
    await two();
    const { here, there } = await remote({ restart: "temporary" });
    const partner = await worker("a", { restart: "temporary" });
    await there.call("trap");
    await partner.call("link", here);
    await here.call("echo", 1);
    const ends: unknown[] = [];
    nodes.node("a").system.monitor(partner, ({ reason }) => ends.push(reason));
    nodes.partition(["a"], ["b"]);
    await until("the partner's end", () => ends.length === 1);
    expect(ends[0]).toMatchObject({ kind: "linked", id: here.id, reason: { kind: "noconnection", node: "b" } });
    await until("EXIT", async () => (await infos(there)).length === 1);
    expect((await infos(there))[0]).toMatchObject({
      type: "EXIT",
      id: `a:${partner.id}`,
      reason: { kind: "noconnection", node: "a" },
    });
  });

  it("an unlink from either side ends a link", async () => {
    await two();
    const { here, there } = await remote({ restart: "temporary" });
    const partner = await worker("a", { restart: "temporary" });
    await partner.call("link", here);
    await here.call("echo", 1);
    await partner.call("unlink", here);
    await here.call("echo", 1);
    await partner.cast("crash");
    await until("its end", () =>
      partner.call("echo", 1).then(
        () => false,
        () => true,
      ),
    );
    expect(await there.call("echo", "lives")).toBe("lives");
  });

  it("23. kill cannot be trapped there either", async () => {
    await two({ allow: { exit: ["a"] } });
    const { here, there } = await remote({ restart: "temporary" });
    await there.call("trap");
    const ends: string[] = [];
    nodes.node("a").system.monitor(here, ({ reason }) => ends.push(reason.kind));
    const sender = await worker("a");
    await sender.call("exit", here, { kind: "shutdown" });
    await until("EXIT", async () => (await infos(there)).length === 1);
    expect((await infos(there))[0]).toMatchObject({ type: "EXIT", id: `a:${sender.id}`, reason: { kind: "shutdown" } });
    await sender.call("exit", here, "kill");
    await until("its end", () => ends.length === 1);
    expect(ends).toEqual(["killed"]);
  });

  it("23, 50. an exit signal of a node that allow.exit does not name ends nothing", async () => {
    await two();
    const { here, there } = await remote();
    nodes.node("a").system.exit(here, "kill");
    await here.call("echo", 1);
    expect(await there.call("incarnation")).toBe(1);
  });
});

describe("the end of a connection", () => {
  it("7. a call that had left rejects with ERR_CALL_EXIT/noconnection, one that had not with ERR_NO_CONNECTION", async () => {
    await two();
    const { here, there } = await remote();
    const left = here.with({ timeoutMs: 20_000 }).call("untilAborted");
    await until("its arrival", () => nodes.node("a").cluster.stats().callsInDoubt === 1);
    // The actor is busy with it: what comes after waits, in the window, in the ring, and at the sender.
    const bytes = new Uint8Array(60_000);
    const outcomes = Promise.allSettled(
      Array.from({ length: 40 }, () => here.with({ timeoutMs: 20_000 }).call("echo", bytes)),
    );
    await until("a full window", () => nodes.node("a").cluster.stats().callsInDoubt > 2);
    nodes.partition(["a"], ["b"]);
    await expect(left).rejects.toMatchObject({ code: "ERR_CALL_EXIT", reason: { kind: "noconnection", node: "b" } });
    const codes = (await outcomes).map((outcome) => outcome.status === "rejected" && outcome.reason.code);
    expect(new Set(codes)).toEqual(new Set(["ERR_CALL_EXIT", "ERR_NO_CONNECTION"]));
    expect(codes.lastIndexOf("ERR_CALL_EXIT")).toBeLessThan(codes.indexOf("ERR_NO_CONNECTION"));
    await expect(here.call("echo", 1)).rejects.toMatchObject({ code: "ERR_NO_CONNECTION", node: "b" });
    expect(here.tryCast("note", 1)).toBe("closed");
    expect(there.id).toMatch(/worker/);
  });

  it("5. what was accepted and is lost is a dead letter no_connection on the node that knows", async () => {
    await two();
    const { here } = await remote();
    const letters: string[] = [];
    nodes.node("a").system.on("dead_letter", ({ id, why }) => letters.push(`${id} ${why}`));
    nodes.disconnect("a");
    const casts = Array.from({ length: 600 }, (_, i) => here.cast("note", i));
    await Promise.all(casts.slice(0, 300));
    await until("the node's end", () => nodes.node("a").cluster.nodes().length === 0);
    await Promise.allSettled(casts);
    // The window was under way, and is in doubt; the rest has not left.
    expect(letters.length).toBeGreaterThan(300);
    expect(new Set(letters)).toEqual(new Set([`${here.id} no_connection`]));
  });

  it("3. while a node is away for less than downAfterMs nothing is lost and nothing comes twice", async () => {
    await two({ downAfterMs: 10_000 });
    const { here, there } = await remote();
    const downs: string[] = [];
    nodes.node("a").cluster.on("node_down", ({ node }) => downs.push(node));
    const sent = 3000;
    const casts = (async () => {
      for (let i = 0; i < sent; i++) await here.cast("note", i);
    })();
    for (let i = 0; i < 6; i++) {
      await until("some progress", async () => ((await there.call("count")) as number) > i * 100);
      const name = i % 2 === 0 ? "a" : "b";
      nodes.disconnect(name);
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      nodes.reconnect(name);
    }
    await casts;
    await until("all of them", async () => (await there.call("count")) === sent);
    expect(await there.call("noted")).toEqual(Array.from({ length: sent }, (_, i) => i));
    expect(downs).toEqual([]);
  });

  it("26. references of a node's former incarnation lead to noproc, and never to an actor of the new one", async () => {
    await two();
    const { here } = await remote();
    await nodes.kill("b");
    await until("its end", () => nodes.node("a").cluster.nodes().length === 0);
    await nodes.start("b");
    await nodes.connected();
    await worker("b");
    await expect(here.call("echo", 1)).rejects.toMatchObject({ code: "ERR_NOPROC" });
  });

  it("27. a node that leaves is left at once, one that is killed is gone", async () => {
    nodes = await testCluster({ nodes: 3 });
    const downs: string[] = [];
    nodes.node("a").cluster.on("node_down", ({ node, why }) => downs.push(`${node} ${why}`));
    await nodes.stop("b");
    await until("its good-bye", () => downs.length === 1);
    expect(downs).toEqual(["b left"]);
    await nodes.kill("c");
    await until("its end", () => downs.length === 2);
    expect(downs[1]).toBe("c gone");
  });
});
