import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import { type ActorRef, dynamicSupervisor, type PartitionedSupervisorRef } from "@mini-otp/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type Worker from "./fixtures/worker.actor.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
type Ref = ActorRef<typeof Worker>;
let nodes: TestCluster;
let started = 0;

beforeAll(async () => {
  nodes = await testCluster({ nodes: 2 });
  for (const { system } of nodes.nodes) {
    await system.startChild(dynamicSupervisor({ id: "devices", threads: { count: 1 }, template: { actor: WORKER } }));
  }
});
afterAll(() => nodes[Symbol.asyncDispose]());

const devices = (node: string) => nodes.node(node).system.child("devices") as unknown as PartitionedSupervisorRef;

async function light(node: string, id = `dev-${++started}`, restart?: "permanent"): Promise<Ref> {
  return (await devices(node).startChild({ id, restart })) as Ref;
}

async function own(node: string): Promise<Ref> {
  return (await nodes.node(node).system.startChild({ id: `own-${++started}`, actor: WORKER })) as Ref;
}

/** A light actor of node b, and node a's reference to it. */
async function remote(): Promise<{ here: Ref; there: Ref }> {
  const there = await light("b");
  await nodes.node("b").cluster.register(there.id, there);
  return { here: await until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>(there.id)), there };
}

describe("light actors of another node", () => {
  it("are called and cast to, in order, each by its own reference", async () => {
    const [one, other] = [await remote(), await remote()];
    expect(one.here.id).toBe(`b:${one.there.id}`);
    for (let i = 0; i < 300; i++) {
      await one.here.cast("note", i);
      await other.here.cast("note", -i);
    }
    expect(await one.here.call("count")).toBe(300);
    expect(await one.there.call("noted")).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(await other.here.call("count")).toBe(300);
    expect(await one.here.call("echo", { of: [1, "two", null] })).toEqual({ of: [1, "two", null] });
    await expect(one.here.call("refuse")).rejects.toMatchObject({ message: "not today", code: "CLOSED" });
  });

  it("are called by actors, with a thread of their own or light themselves", async () => {
    const { here } = await remote();
    expect(await (await own("a")).call("call", here, "echo", 1)).toBe(1);
    expect(await (await own("a")).call("callSync", here, "echo", 2)).toBe(2);
    expect(await (await light("a")).call("call", here, "echo", 3)).toBe(3);
  });

  it("send their references: what comes home is the local one, and the other way it is known again", async () => {
    const { here, there } = await remote();
    const sent = (await here.call("self")) as Ref;
    expect([sent.id, sent.uid]).toEqual([here.id, here.uid]);
    const receiver = await own("b");
    await nodes.node("b").cluster.register(receiver.id, receiver);
    const far = await until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>(receiver.id));
    await far.call("note", here);
    const [home] = (await receiver.call("noted")) as [Ref];
    expect([home.id, home.address, home.uid]).toEqual([there.id, there.address, there.uid]);
    expect(await home.call("echo", 4)).toBe(4);
  });

  it("are monitored: their watchers are told the reason, and noproc when they have ended before", async () => {
    const { here } = await remote();
    const watcher = await own("a");
    await watcher.call("monitor", here);
    await expect(here.call("crash")).rejects.toMatchObject({
      code: "ERR_CALL_EXIT",
      id: here.id,
      reason: { kind: "error", error: { message: "a crash on demand" } },
    });
    const infos = async () => (await watcher.call("infos")) as { reason: { kind: string } }[];
    await until("the end", async () => (await infos()).length === 1);
    expect((await infos())[0].reason.kind).toBe("error");
    await until("noproc", () =>
      here
        .call("echo", 1)
        .then(() => false)
        .catch(({ code }) => code === "ERR_NOPROC"),
    );
    await watcher.call("monitor", here);
    await until("the other end", async () => (await infos()).length === 2);
    expect((await infos())[1].reason.kind).toBe("noproc");
    await until("a name that is free", () => nodes.node("a").cluster.whereis(here.id.slice(2)) === undefined);
  });

  it("keep their references when they are started again, until they have ended for good", async () => {
    const there = await light("b", "permanent", "permanent");
    await nodes.node("b").cluster.register(there.id, there);
    const here = await until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>(there.id));
    const code = (call: Promise<unknown>) => call.then(String).catch(({ code }: { code: string }) => code);
    for (let life = 1; life <= 3; life++) {
      expect(await here.call("incarnation")).toBe(life);
      const known = (await here.call("self")) as Ref;
      expect([known.id, known.uid]).toEqual([here.id, here.uid]);
      if (life === 2) {
        // With its partition.
        const [{ ref }] = devices("b").partitions();
        nodes.node("b").system.exit(ref, "kill");
        await until("the next life", () => devices("b").child("permanent")?.stats().incarnation === 3);
      } else if (life === 1) {
        expect(await code(here.call("crash"))).toBe("ERR_CALL_EXIT");
      }
    }
    await devices("b").terminateChild("permanent");
    await until("noproc", async () => (await code(here.call("echo", 1))) === "ERR_NOPROC");
  });
});
