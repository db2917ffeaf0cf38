import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef } from "@mini-otp/runtime";
import { afterEach, describe, expect, it } from "vitest";
import type Worker from "./fixtures/worker.actor.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
type Ref = ActorRef<typeof Worker>;
let nodes: TestCluster;
let started = 0;

afterEach(() => nodes[Symbol.asyncDispose]());

async function worker(node: string, spec: object = {}): Promise<Ref> {
  return (await nodes.node(node).system.startChild({ id: `worker-${++started}`, actor: WORKER, ...spec })) as Ref;
}

const whereis = (node: string, name: string): ActorRef | undefined => nodes.node(node).cluster.whereis(name);

describe("names of the cluster", () => {
  it("32. of concurrent registers of a name one wins, and the others learn the holder", async () => {
    nodes = await testCluster({ nodes: 3 });
    for (let round = 0; round < 20; round++) {
      const refs = await Promise.all(["a", "b", "c"].map((node) => worker(node)));
      const name = `name-${round}`;
      const outcomes = await Promise.allSettled(refs.map((ref, i) => nodes.node("abc"[i]).cluster.register(name, ref)));
      const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
      const losers = outcomes.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
      expect(losers).toHaveLength(2);
      const holder = `${"abc"[winner]}:${refs[winner].id}`;
      for (const { reason } of losers) expect(reason).toMatchObject({ code: "ERR_NAME_TAKEN", name, holder });
      for (const node of ["a", "b", "c"]) {
        const found = await nodes.node(node).cluster.lookup(name);
        expect(found?.id).toBe(node === "abc"[winner] ? refs[winner].id : holder);
      }
    }
  });

  it("33. a name is free when its holder's DOWN is seen on its node, and soon on others", async () => {
    nodes = await testCluster({ nodes: 2 });
    const holder = await worker("b", { restart: "temporary" });
    await nodes.node("b").cluster.register("prices", holder);
    await until("the name", () => whereis("a", "prices"));
    const seen: unknown[] = [];
    nodes.node("b").system.monitor(holder, () => seen.push(whereis("b", "prices")));
    await holder.cast("crash");
    await until("DOWN", () => seen.length === 1);
    expect(seen).toEqual([undefined]);
    await until("that it is free", () => whereis("a", "prices") === undefined);
    await nodes.node("a").cluster.register("prices", await worker("a"));
  });

  it("an actor finds a name by ctx.whereis, and it is another's no more when it is given back", async () => {
    nodes = await testCluster({ nodes: 2 });
    await nodes.node("b").cluster.register("prices", await worker("b"));
    const own = await worker("a");
    const found = await until("the name", () => own.call("whereis", "cluster:prices") as Promise<ActorRef | undefined>);
    expect(found.id).toMatch(/^b:root/);
    expect(await own.call("whereis", "prices")).toBeUndefined();
    await nodes.node("b").cluster.unregister("prices");
    await until("that it is free", () => whereis("a", "prices") === undefined);
  });

  it("a name has any characters, and what is no name or no actor of this node is refused", async () => {
    nodes = await testCluster({ nodes: 2 });
    const { cluster } = nodes.node("b");
    const name = "Preise/日本 * > . €";
    await cluster.register(name, await worker("b"));
    const far = await until("the name", () => whereis("a", name));
    await expect(nodes.node("a").cluster.register("mine", far)).rejects.toMatchObject({ code: "ERR_NOPROC" });
    for (const [bad, allowed] of [
      ["", "1 to 128"],
      ["x".repeat(129), "1 to 128"],
      [7, "1 to 128"],
    ] as const) {
      await expect(cluster.register(bad as string, far)).rejects.toMatchObject({
        code: "ERR_INVALID_OPTION",
        field: "name",
        allowed: expect.stringContaining(allowed),
      });
    }
    expect(() => cluster.on("nothing" as "node_up", () => {})).toThrow("node_up");
  });

  it("34, 36, 37. the side that does not reach the bucket gives its names up before the other may have them", async () => {
    nodes = await testCluster({ nodes: 3 });
    const holder = await worker("a");
    await nodes.node("a").cluster.register("prices", holder);
    await until("the name", () => whereis("c", "prices"));
    let lostAt = Infinity;
    nodes.node("a").cluster.on("lease_lost", () => {
      lostAt = performance.now();
    });
    nodes.partition(["a"], ["b", "c"]);
    const other = await worker("b");
    let refused = 0;
    await until("that it is free", async () => {
      try {
        await nodes.node("b").cluster.register("prices", other);
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_NAME_TAKEN" });
        refused++;
        return false;
      }
    });
    expect(lostAt).toBeLessThan(performance.now());
    expect(refused).toBeGreaterThan(0);
    expect(whereis("a", "prices")).toBeUndefined();
    // Its other actors run on.
    expect(await holder.call("echo", 1)).toBe(1);
    await expect(nodes.node("a").cluster.register("more", holder)).rejects.toMatchObject({ code: "ERR_LEASE_LOST" });
    nodes.heal();
    await nodes.connected();
    await until("the same everywhere", () =>
      ["a", "b", "c"].every((node) => whereis(node, "prices")?.id === (node === "b" ? other.id : `b:${other.id}`)),
    );
  });

  it("45. without the bucket a name ends after holdMs, and is registered again on return if it is still free", async () => {
    nodes = await testCluster({ nodes: 2 });
    const holder = await worker("a");
    const { cluster } = nodes.node("a");
    await cluster.register("prices", holder);
    const events: string[] = [];
    for (const event of ["lease_lost", "lease_regained"] as const) cluster.on(event, () => events.push(event));
    nodes.disconnect("a");
    await until("the loss", () => events.length === 1);
    expect(whereis("a", "prices")).toBeUndefined();
    await expect(cluster.lookup("prices")).rejects.toMatchObject({ code: "ERR_CLUSTER_ENGINE", found: "memory" });
    expect(await holder.call("echo", "untouched")).toBe("untouched");
    nodes.reconnect("a");
    await until("the return", () => whereis("a", "prices"));
    await until("the return, there", () => whereis("b", "prices"));
    expect(events).toEqual(["lease_lost", "lease_regained"]);
  });

  it("29. the second process of a name is refused, and after a crash the next one joins", async () => {
    nodes = await testCluster({ nodes: 1 });
    const { cluster, system } = nodes.node("a");
    await cluster.register("prices", await system.startChild({ id: "prices", actor: WORKER }));
    await nodes.kill("a");
    const since = performance.now();
    const again = await nodes.start("a");
    // Not before takeOverMs, and no longer than 2 s after it.
    expect(performance.now() - since).toBeGreaterThan(1200);
    expect(performance.now() - since).toBeLessThan(3500);
    expect(again.cluster.whereis("prices")).toBeUndefined();
    await again.cluster.register("prices", await again.system.startChild({ id: "prices", actor: WORKER }));
  });

  it("51. a node that leaves gives its names and its lease back: the next of its name joins at once", async () => {
    nodes = await testCluster({ nodes: 2 });
    await nodes.node("b").cluster.register("prices", await worker("b"));
    await until("the name", () => whereis("a", "prices"));
    await nodes.stop("b");
    await until("that it is free", () => whereis("a", "prices") === undefined);
    const since = performance.now();
    await nodes.start("b");
    expect(performance.now() - since).toBeLessThan(1000);
  });
});

describe("groups", () => {
  it("44. converge on all nodes, and a node's members go with it", async () => {
    nodes = await testCluster({ nodes: 3 });
    const group = (node: string) => nodes.node(node).cluster.group<typeof Worker>("workers");
    const changes: string[] = [];
    group("a").onChange(({ joined, left }) => {
      changes.push(...joined.map(({ id }) => `+${id}`), ...left.map(({ id }) => `-${id}`));
    });
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((node) => worker(node, { restart: "temporary" })));
    group("a").join(a);
    group("b").join(b);
    group("c").join(c);
    const sizes = () => nodes.nodes.map(({ name }) => group(name).members().length);
    await until("all members everywhere", () => sizes().every((size) => size === 3));
    expect(group("a").localMembers()).toEqual([a]);
    const [one, other] = [group("a"), group("b")].map((of) => of.forKey("cart-17") as ActorRef);
    expect(one.id.replace(/^\w:/, "")).toBe(other.id.replace(/^\w:/, ""));
    const answers = await Promise.all([1, 2, 3].map(() => (group("a").any() as Ref).call("self") as Promise<ActorRef>));
    expect(new Set(answers.map(({ uid }) => uid)).size).toBe(3);
    await b.cast("crash");
    await until("one less everywhere", () => sizes().every((size) => size === 2));
    await nodes.kill("c");
    await until("the node's end", () => sizes().every((size) => size === 1));
    expect(changes).toEqual([`+${a.id}`, ...changes.slice(1, 3), `-b:${b.id}`, `-c:${c.id}`]);
    expect(changes.slice(1, 3).sort()).toEqual([`+b:${b.id}`, `+c:${c.id}`]);
  });

  it("44. a node that comes later is told of all members, and one that joins twice is one twice", async () => {
    nodes = await testCluster({ nodes: 2 });
    const a = await worker("a");
    const group = nodes.node("a").cluster.group("workers");
    group.join(a);
    group.join(a);
    const late = await nodes.start("c");
    await until("its members", () => late.cluster.group("workers").members().length === 2);
    group.leave(a);
    await until("one less", () => late.cluster.group("workers").members().length === 1);
    const far = late.cluster.group("workers").any() as ActorRef;
    expect(() => late.cluster.group("workers").join(far)).toThrow("an actor of this node");
    expect(await far.call("echo", 1)).toBe(1);
  });
});
