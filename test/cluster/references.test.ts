import { remote, singleton } from "@mini-otp/cluster";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import { type ActorRef, router } from "@mini-otp/runtime";
import { probe } from "@mini-otp/runtime/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type Ledger from "./fixtures/ledger.actor.js";
import type Worker from "./fixtures/worker.actor.js";
import { until } from "./until.js";

const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);
const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
type Ref = ActorRef<typeof Worker>;
/** No node loses its lease by itself; one that was killed is waited for. */
const LONG = { downAfterMs: 20_000, lease: { renewMs: 500, holdMs: 4000, takeOverMs: 6000 } };
let nodes: TestCluster;

beforeEach(async () => {
  nodes = await testCluster({ nodes: 3, offers: { worker: WORKER }, allow: { start: ["*"] }, ...LONG });
});
afterEach(() => nodes[Symbol.asyncDispose]());

/** An actor of node `on`, and the reference to it that node a has. */
async function worker(on: string, spec: object = {}): Promise<Ref> {
  const { system, cluster } = nodes.node(on);
  const ref = (await system.startChild({ id: "worker", actor: WORKER, ...spec })) as Ref;
  await cluster.register(`worker-${on}`, ref);
  return until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>(`worker-${on}`));
}

describe("references in messages between nodes", () => {
  it("one to a singleton arrives as the singleton's, and follows it when the node that sent it is gone", async () => {
    const declare = (node: string) =>
      nodes.node(node).system.startChild(singleton({ id: "billing", actor: LEDGER, args: { of: node } }));
    await declare("a");
    const billing = nodes.node("a").cluster.singleton<typeof Ledger>("billing");
    expect(await billing.call("of")).toBe("a");
    await declare("c");
    const there = await worker("b");
    expect(await there.call("call", billing, "of")).toBe("a");
    await there.call("note", billing);
    const [kept] = (await nodes.node("b").system.child("worker").call("noted")) as ActorRef[];
    expect(kept.id).toBe("singleton:billing");
    await nodes.stop("a");
    expect(await kept.with({ timeoutMs: 20_000 }).call("of")).toBe("c");
  });

  it("one to a singleton is used before that runs anywhere, and in the reply to a call", async () => {
    const there = await worker("b");
    const billing = nodes.node("a").cluster.singleton<typeof Ledger>("billing");
    const asked = there.with({ timeoutMs: 20_000 }).call("call", billing, "of");
    await nodes.node("c").system.startChild(singleton({ id: "billing", actor: LEDGER, args: { of: "c" } }));
    expect(await asked).toBe("c");
    const back = (await there.call("echo", billing)) as ActorRef;
    expect([back.uid, back.address]).toEqual([billing.uid, billing.address]);
  });

  it("one to a probe is answered by the probe", async () => {
    const { system, cluster } = nodes.node("a");
    const asked = probe({ id: "asked", system, answers: { of: "probed" } });
    const there = await worker("b");
    expect(await there.call("call", asked, "of")).toBe("probed");
    await cluster.register("asked", asked);
    const named = await until("the name", () => nodes.node("c").cluster.whereis("asked"));
    await named.cast("note", 1);
    expect(await asked.expect("note")).toMatchObject({ kind: "cast", args: [1] });
  });

  it("one to what is gone leads to nothing wherever it is sent, and not to the node itself", async () => {
    const onB = await worker("b", { restart: "temporary" });
    const onC = await worker("c");
    const own = (await nodes.node("a").system.startChild({ id: "own", actor: WORKER })) as Ref;
    await onC.call("note", onB);
    await nodes.kill("b");
    await nodes.start("b");
    await nodes.connected();
    const [held] = (await onC.call("noted")) as Ref[];
    expect(await own.call("outcome", held, "start", "worker")).toBe("ERR_NOPROC");
    // Here it is gone; so it is on the node that it is sent to.
    expect(await onC.call("outcome", held, "start", "worker")).toBe("ERR_NOPROC");
    const again = (await onC.call("echo", held)) as Ref;
    expect(await own.call("outcome", again, "echo", 1)).toBe("ERR_NOPROC");
    expect(await onC.call("outcome", again, "start", "worker")).toBe("ERR_NOPROC");
  });

  it("one to a router, to its member for a key and to a remote child lead there over a third node", async () => {
    const { system } = nodes.node("a");
    const own = await system.startChild(router({ id: "crew", actor: WORKER, size: 2, route: "round_robin" }));
    const onB = await worker("b");
    await worker("c");
    await onB.call("note", own);
    await onB.call("note", own.forKey("k"));
    await onB.call(
      "note",
      await system.startChild(remote({ id: "there", offer: "worker", on: { node: "c" }, args: {} })),
    );
    const b = nodes.node("b");
    const kept = (await b.system.child("worker").call("noted")) as Ref[];
    const onC = await until("the name", () => b.cluster.whereis<typeof Worker>("worker-c"));
    expect(kept.map(({ id }) => id.split(":")[0])).toEqual(["a", "a", "c"]);
    for (const ref of kept) expect(await onC.call("call", ref, "echo", ref.id)).toBe(ref.id);
  });

  it("12. one to a router of another node keeps the keys of forKey, from main, from an actor and over a third node", async () => {
    const { system, cluster } = nodes.node("b");
    const own = await system.startChild(router({ id: "crew", actor: WORKER, size: 4, route: "consistent_hash" }));
    await cluster.register("crew", own);
    const far = await until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>("crew"));
    const keys = Array.from({ length: 24 }, (_, i) => `key-${i}`);
    const wanted = await Promise.all(keys.map(async (key) => (await own.forKey(key).call("self")).id));
    expect(new Set(wanted).size).toBe(4);
    const idsOf = async (ask: (key: string) => Promise<unknown>): Promise<string[]> =>
      Promise.all(keys.map(async (key) => ((await ask(key)) as ActorRef).id.replace(/^b:/, "")));
    expect(await idsOf((key) => far.forKey(key).call("self"))).toEqual(wanted);
    const onA = await worker("a");
    expect(await idsOf((key) => onA.call("forKey", far, key, "self"))).toEqual(wanted);
    const onC = await worker("c");
    // Its reference goes on with the key, or gets one there.
    expect(await idsOf((key) => onC.call("call", far.forKey(key), "self"))).toEqual(wanted);
    expect(await idsOf((key) => onC.call("forKey", far, key, "self"))).toEqual(wanted);
    await expect(far.call("self")).rejects.toMatchObject({ code: "ERR_NO_KEY" });
  });

  it("12. one to a router of another node that is the first argument of a message to it is no key", async () => {
    const { system, cluster } = nodes.node("b");
    const own = await system.startChild(router({ id: "crew", actor: WORKER, size: 1, route: "round_robin" }));
    await cluster.register("crew", own);
    const far = await until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>("crew"));
    const shape = (value: unknown): unknown =>
      Array.isArray(value) ? value.map(shape) : ((value as { id?: string }).id ?? value);
    for (const to of [far, far.forKey("k")]) {
      for (const value of [far, far.forKey("k"), 7]) {
        const back = await to.call("echo", value);
        expect(shape(back)).toBe(shape(value));
        await to.cast("note", value);
        await to.send(value);
        await to.send([value, "second"]);
      }
    }
    await until("all", async () => (await far.call("infos")).length === 12 && (await far.call("count")) === 6);
    const there = ["b:root/crew", "b:root/crew", 7];
    expect(shape(await far.call("infos"))).toEqual([...there, ...there].flatMap((value) => [value, [value, "second"]]));
  });

  it("12. more messages for keys than a window has pass to a router of another node", async () => {
    const { system, cluster } = nodes.node("b");
    const own = await system.startChild(router({ id: "crew", actor: WORKER, size: 2, route: "consistent_hash" }));
    await cluster.register("crew", own);
    const far = await until("the name", () => nodes.node("a").cluster.whereis<typeof Worker>("crew"));
    await Promise.all(Array.from({ length: 10_000 }, (_, i) => far.forKey(i % 50).cast("note", i)));
    await until("all", async () => {
      const counts = await own.callAll("count");
      return counts.reduce((sum, one) => sum + (one.status === "fulfilled" ? one.value : 0), 0) === 10_000;
    });
    const noted = (await far.forKey(7).call("noted")) as number[];
    const ofKey = noted.filter((i) => i % 50 === 7);
    expect(ofKey).toEqual(Array.from({ length: 200 }, (_, i) => 50 * i + 7));
  });
});
