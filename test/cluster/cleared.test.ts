import { singleton } from "@mini-otp/cluster";
import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import type { ActorRef } from "@mini-otp/runtime";
import { startTestSystem } from "@mini-otp/runtime/testing";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, describe, expect, it } from "vitest";
import { joinBy } from "#cluster/cluster/cluster.js";
import { takeClusterOptions } from "#cluster/cluster/options.js";
import type { Bucket, BucketEntry } from "#cluster/engine/engine.js";
import { FollowedKeys } from "#cluster/engine/followed-keys.js";
import { MemoryHub } from "#cluster/engine/memory-engine.js";
import { connectNats } from "#cluster/engine/nats-engine.js";
import { newWatch, unused, watchStep } from "#cluster/nodes/lease.js";
import { NatsServer } from "./nats-server.js";
import { STEADY } from "./steady.js";
import { until } from "./until.js";

const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);
const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);

describe("what nodes that are gone for good have left in the bucket", () => {
  let nodes: TestCluster | undefined;
  afterEach(() => nodes?.[Symbol.asyncDispose]());

  it("is of no use five times takeOverMs after their lease was given back or revoked, and never while one is held", () => {
    const watch = newWatch(100);
    watchStep(watch, "held", { value: { incarnation: "h", term: 1 }, revision: 1 }, 0);
    watchStep(watch, "left", { value: { incarnation: "l", term: 1, revokedBy: "" }, revision: 2 }, 0);
    watchStep(watch, "lost", { value: { incarnation: "o", term: 1, revokedBy: "a" }, revision: 3 }, 200);
    expect(unused(watch, 499)).toEqual([]);
    expect(unused(watch, 500).map(({ node }) => node)).toEqual(["left"]);
    expect(unused(watch, 1e9).map(({ node }) => node)).toEqual(["left", "lost"]);
  });

  it("is taken out: nodes under ever new names with names and singletons of theirs leave no key", async () => {
    const lease = { renewMs: 50, holdMs: 400, takeOverMs: 600 };
    nodes = await testCluster({ nodes: 1, lease });
    const { system, cluster } = nodes.node("a");
    await cluster.register("kept", (await system.startChild({ id: "kept", actor: WORKER })) as ActorRef);
    for (const name of ["pod-1", "pod-2", "pod-3"]) {
      const pod = await nodes.start(name, { lease });
      const own = (await pod.system.startChild({ id: "own", actor: WORKER })) as ActorRef;
      await pod.cluster.register(`of-${name}`, own);
      await pod.system.startChild(singleton({ id: `one-${name}`, actor: LEDGER, args: {} }));
      await until("that it runs", () =>
        pod.cluster
          .singleton(`one-${name}`)
          .call("of")
          .then(() => true),
      );
      await (name === "pod-2" ? nodes.stop(name) : nodes.kill(name));
    }
    const keys = (): string[] => (nodes as TestCluster).backUpBucket().entries.map(({ key }) => key);
    await until("that they are taken out", () => keys().length <= 3);
    expect(keys().sort()).toEqual(["meta", `name.${Buffer.from("kept").toString("hex")}`, "node.a"]);
    // One of these names comes again, and finds nothing of before.
    const again = await nodes.start("pod-1", { lease });
    const other = (await again.system.startChild({ id: "own", actor: WORKER })) as ActorRef;
    await again.cluster.register("of-pod-1", other);
    await until("its name", () => cluster.whereis("of-pod-1"));
  });

  it("a node that takes its name again takes out what its former life had registered", async () => {
    nodes = await testCluster({ nodes: 1 });
    const own = (await nodes.node("a").system.startChild({ id: "own", actor: WORKER })) as ActorRef;
    await nodes.node("a").cluster.register("former", own);
    await nodes.kill("a");
    await nodes.start("a");
    const has = (): boolean => (nodes as TestCluster).backUpBucket().entries.some(({ key }) => key.startsWith("name."));
    await until("that it is gone", () => !has());
  });
});

describe("what is read of the bucket", () => {
  const entry = (key: string, revision: number): BucketEntry => ({ key, value: revision, revision });

  /** Keys as they are followed, and a bucket whose lists are answered when the test says so. */
  function followed() {
    const known = new Map<string, number>();
    let change: Parameters<Bucket["watch"]>[0] = () => {};
    let missed: Parameters<Bucket["watch"]>[1] = () => {};
    const lists: { resolve(entries: BucketEntry[]): void; reject(error: Error): void }[] = [];
    const bucket = {
      list: () => new Promise<BucketEntry[]>((resolve, reject) => lists.push({ resolve, reject })),
      watch: (...given: Parameters<Bucket["watch"]>) => {
        [change, missed] = given;
      },
    };
    const keys = new FollowedKeys(bucket as unknown as Bucket, ["name."], {
      known: () => known.keys(),
      changed: (key, { revision } = { revision: 0 } as BucketEntry) =>
        revision === 0 ? known.delete(key) : known.set(key, revision),
    });
    return {
      known,
      keys,
      lists,
      tell: (key: string, revision: number | undefined) =>
        change(key, revision === undefined ? undefined : entry(key, revision)),
      miss: () => missed(false),
    };
  }

  it("does not undo what was told while it was read: keys that came, changed and went", async () => {
    const { known, keys, lists, tell } = followed();
    const reading = keys.start();
    tell("name.new", 7);
    tell("name.changed", 9);
    tell("name.gone", undefined);
    tell("node.other", 5);
    lists[0].resolve([entry("name.changed", 3), entry("name.gone", 2), entry("name.old", 1)]);
    await reading;
    expect(Object.fromEntries(known)).toEqual({ "name.new": 7, "name.changed": 9, "name.old": 1 });
  });

  it("is read again after no answer, and a later look counts more than an earlier one", async () => {
    const { known, keys, lists, miss } = followed();
    const reading = keys.start();
    lists[0].reject(new Error("no answer"));
    await reading;
    await until("the next", () => lists.length === 2);
    miss();
    lists[2].resolve([entry("name.later", 2)]);
    lists[1].resolve([entry("name.earlier", 1)]);
    await until("it", () => known.size > 0);
    expect([...known.keys()]).toEqual(["name.later"]);
    miss();
    lists[3].resolve([]);
    await until("its end", () => known.size === 0);
  });

  it("32, 34. a node that could not read the leases takes no name of another's that holds its lease", async () => {
    const hub = new MemoryHub();
    const node = async (name: string, withLeases: boolean) => {
      const system = await startTestSystem();
      const engine = hub.connect(name);
      const { bucket } = engine;
      if (!withLeases) {
        const list = (prefix: string) =>
          prefix === "node." ? Promise.reject(new Error("no answer")) : bucket.list(prefix);
        const watch: Bucket["watch"] = (change, missed) =>
          bucket.watch((key, of) => (key === "node.a" ? undefined : change(key, of)), missed);
        Object.assign(engine, { bucket: { ...bucket, list, watch } });
      }
      const cluster = await joinBy(system, engine, takeClusterOptions({ cluster: "test", node: name, ...STEADY }));
      return { system, cluster, worker: (await system.startChild({ id: "worker", actor: WORKER })) as ActorRef };
    };
    const a = await node("a", true);
    const b = await node("b", false);
    await a.cluster.register("prices", a.worker);
    await a.system.startChild(singleton({ id: "billing", actor: LEDGER, args: { of: "a" } }));
    await until("that it runs", () =>
      a.cluster
        .singleton("billing")
        .call("of")
        .then(() => true),
    );
    await expect(b.cluster.register("prices", b.worker)).rejects.toMatchObject({
      code: "ERR_NAME_TAKEN",
      holder: "a:root/worker",
    });
    await b.system.startChild(singleton({ id: "billing", actor: LEDGER, args: { of: "b" } }));
    // It has looked once when this is answered.
    await b.cluster.register("own", b.worker);
    expect(hub.backUpBucket().entries.find(({ key }) => key.startsWith("one."))?.value).toMatchObject({ node: "a" });
    // What a has given up is b's to take, whatever it knows.
    await a.cluster.unregister("prices");
    await b.cluster.register("prices", b.worker);
    await Promise.all([a.system.stop(), b.system.stop()]);
  });
});

it("a key that was removed leaves nothing in the stream, which is not taken for one that is behind when NATS restarts", async () => {
  await using server = await NatsServer.start();
  const warnings: string[] = [];
  const engine = await connectNats({ cluster: "shop", node: "a", servers: [server.url] }, (_, message) =>
    warnings.push(message),
  );
  let isReset = false;
  engine.bucket.watch(
    () => {},
    (reset) => {
      isReset ||= reset;
    },
  );
  const admin = await connect({ servers: server.url });
  const manager = await jetstreamManager(admin);
  const inStream = async () => (await manager.streams.info("KV_motp-shop")).state;
  for (let i = 0; i < 150; i++) {
    const revision = (await engine.bucket.write(`name.${i}`, i, undefined)) as number;
    expect(await engine.bucket.remove(`name.${i}`, revision)).toBe(true);
    expect(await engine.bucket.remove(`name.${i}`, revision)).toBe(false);
  }
  await until("that they are erased", async () => (await inStream()).messages === 0);
  const { last_seq } = await inStream();
  expect(last_seq).toBe(300);
  await server.stop();
  await server.start();
  await until("the return", () =>
    engine.bucket.list("name.").then(
      () => true,
      () => false,
    ),
  );
  expect((await inStream()).last_seq).toBe(last_seq);
  // A key comes again as one that never was.
  expect(await engine.bucket.write("name.0", 0, undefined)).toBe(last_seq + 1);
  expect(isReset).toBe(false);
  expect(warnings).toEqual([]);
  await Promise.all([engine.close(), admin.close()]);
});
