import { singleton } from "@mini-otp/cluster";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef } from "@mini-otp/runtime";
import { afterEach, describe, expect, it } from "vitest";
import type { Bucket, BucketEntry } from "#cluster/engine/engine.js";
import { leaseStep, newLease } from "#cluster/nodes/lease.js";
import { Ownership } from "#cluster/nodes/ownership.js";
import type Ledger from "./fixtures/ledger.actor.js";
import { until } from "./until.js";

const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);
const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
const NAMES = ["a", "b", "c"];
type Token = readonly [number, number];
let nodes: TestCluster;

afterEach(() => nodes?.[Symbol.asyncDispose]());

const grows = (one: Token, other: Token): boolean => other[0] > one[0] || (other[0] === one[0] && other[1] > one[1]);

/** The token of the one that runs, which may be another's than a moment ago. */
async function token(node: string): Promise<Token> {
  const billing = nodes.node(node).cluster.singleton<typeof Ledger>("billing").with({ timeoutMs: 60_000 });
  return (await until("a token", () => billing.call("token").catch(() => undefined))) as Token;
}

describe("a bucket that is not the one that it was", () => {
  for (const kind of ["empty", "behind"] as const) {
    it(`47. ${kind}: every node loses its lease, the epoch is raised, and all join afresh with what they had`, async () => {
      nodes = await testCluster({ nodes: 3 });
      const prices = (await nodes.node("a").system.startChild({ id: "prices", actor: WORKER })) as ActorRef;
      const backup = kind === "behind" ? nodes.backUpBucket() : undefined;
      await nodes.node("a").cluster.register("prices", prices);
      for (const name of NAMES) {
        await nodes.node(name).system.startChild(singleton({ id: "billing", actor: LEDGER, args: { of: name } }));
      }
      const before = await token("c");
      const events: string[] = [];
      for (const { name, cluster } of nodes.nodes) {
        cluster.on("lease_lost", ({ why }) => events.push(`${name} ${why}`));
        cluster.on("lease_regained", () => events.push(`${name} again`));
        cluster.on("node_down", ({ node }) => events.push(`${name} without ${node}`));
      }
      nodes.restoreBucket(backup);
      await until("the loss and the return of all", () => events.length === 6);
      expect([...events].sort()).toEqual(NAMES.flatMap((name) => [`${name} again`, `${name} bucket`]));
      for (const name of NAMES) {
        const { cluster } = nodes.node(name);
        const id = name === "a" ? prices.id : `a:${prices.id}`;
        await until(`the name at ${name}`, () => cluster.whereis("prices")?.id === id);
        expect((await cluster.lookup("prices"))?.id).toBe(id);
      }
      await until("a new owner", async () => grows(before, await token("c")));
      const after = await token("b");
      expect(after[0]).toBeGreaterThan(before[0]);
    });
  }

  it("47. a node that cannot see the loss, because more was written since, learns of it by the epoch, which is raised once", async () => {
    const entries = new Map<string, BucketEntry>();
    const watchers: Parameters<Bucket["watch"]>[] = [];
    let revision = 0;
    const bucket: Bucket = {
      read: async (key) => entries.get(key),
      list: async (prefix) => [...entries.values()].filter(({ key }) => key.startsWith(prefix)),
      remove: async () => true,
      write: async (key, value, known) => {
        if (entries.get(key)?.revision !== known) return undefined;
        const entry = { key, value, revision: ++revision };
        entries.set(key, entry);
        for (const [change] of watchers) change(key, entry);
        return revision;
      },
      watch: (...watcher) => void watchers.push(watcher),
      behind: () => {
        for (const [, missed] of watchers) missed(true);
      },
    };
    const told: string[] = [];
    const ownership = new Ownership(
      bucket,
      "b",
      "one",
      { renewMs: 100, holdMs: 60_000, takeOverMs: 90_000 },
      {
        lost: (why) => told.push(why),
        bucketReset: () => told.push("reset"),
        regained: () => told.push("regained"),
        changed: () => {},
        clearAway: () => false,
      },
    );
    await ownership.take();
    const known = await ownership.epoch();
    // As the first of a cluster raises it: nothing was lost.
    await bucket.write("meta", { epoch: known + 1 }, entries.get("meta")?.revision);
    expect(ownership.isHeld).toBe(true);
    const raised = { epoch: known + 2, behind: true };
    await bucket.write("meta", raised, entries.get("meta")?.revision);
    await until("the return", () => told.includes("regained"));
    expect(told).toEqual(["reset", "bucket", "regained"]);
    expect(entries.get("meta")?.value).toEqual(raised);
    ownership.stop();
  });

  it("47. a holder finds at its next renewal that its key is gone or behind, if nothing has told it before", () => {
    const times = { renewMs: 2000, holdMs: 8000, takeOverMs: 12_000 };
    for (const entry of [undefined, { value: { incarnation: "x", term: 1 }, revision: 3 }]) {
      const lease = newLease("x", times, { mono: 0, wall: 0 });
      const at = (mono: number) => ({ mono, wall: mono });
      leaseStep(lease, { type: "begin" }, at(0));
      expect(leaseStep(lease, { type: "read", entry: undefined }, at(1))).toMatchObject([{ type: "write" }]);
      expect(leaseStep(lease, { type: "written", revision: 5 }, at(2))).toMatchObject([{ type: "granted", term: 1 }]);
      expect(leaseStep(lease, { type: "tick" }, at(2100))).toMatchObject([{ type: "write", revision: 5 }]);
      expect(leaseStep(lease, { type: "refused" }, at(2101))).toMatchObject([{ type: "read" }]);
      expect(leaseStep(lease, { type: "read", entry }, at(2102))).toEqual([{ type: "lost", why: "bucket" }]);
      // Its next term is one that it has not had.
      leaseStep(lease, { type: "begin" }, at(2600));
      expect(leaseStep(lease, { type: "read", entry }, at(2601))).toMatchObject([
        { type: "write", value: { term: 2 } },
      ]);
    }
  });
});
