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
let nodes: TestCluster;

beforeEach(async () => {
  nodes = await testCluster({ nodes: 3, offers: { worker: WORKER }, allow: { start: ["*"] } });
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
});
