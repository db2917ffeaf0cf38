import { type Cluster, joinCluster, type NodeInfo, remote, type Shards, singleton } from "@mini-otp/cluster";
import { defineEntity, type Fence, isHeld } from "@mini-otp/cluster/actor";
import { testCluster } from "@mini-otp/cluster/testing";
import { observeMetrics, registerMetrics, startObserver } from "@mini-otp/metrics";
import { type ActorRef, startSystem } from "@mini-otp/runtime";
import type Hasher from "./hasher.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <A, B>(_equal: Equal<A, B>): void => {};

const system = await startSystem();
const cluster = await joinCluster(system, {
  cluster: "shop",
  node: "b",
  servers: ["tls://nats-1:4222", "tls://nats-2:4222"],
  auth: { creds: "/run/secrets/b.creds" },
  tls: { caFile: "/etc/ca.pem", certFile: "/etc/b.pem", keyFile: "/etc/b.key" },
  replicas: 1,
  labels: { role: "backend" },
  version: "2026.11.1",
  offers: { indexer: new URL("./hasher.js", import.meta.url) },
  allow: { exit: [], start: ["a"], observe: ["*"] },
  maxMessageBytes: 8 * 2 ** 20,
  maxReferences: 1000,
  window: { messages: 256, bytes: 256 * 1024 },
  heartbeatMs: 1000,
  goneAfterMs: 2000,
  downAfterMs: 8000,
  lease: { renewMs: 2000, holdMs: 8000, takeOverMs: 12_000 },
});
is<typeof cluster, Cluster>(true);
// @ts-expect-error a cluster has a name
await joinCluster(system, { node: "b", servers: [] });
// @ts-expect-error one way to say who it is has these fields
await joinCluster(system, { cluster: "shop", node: "b", servers: [], auth: { password: "x" } });

const nodes = cluster.nodes();
is<typeof nodes, NodeInfo[]>(true);
const { node, incarnation, version, labels, since } = cluster.self;
is<[typeof node, typeof incarnation, typeof version, typeof since], [string, string, string, number]>(true);
is<typeof labels, Readonly<Record<string, string>>>(true);
const off = cluster.on("node_down", ({ node: which, why }) => {
  is<typeof which, string>(true);
  is<typeof why, "left" | "gone" | "silent" | "restarted" | "reset" | "incompatible">(true);
});
is<typeof off, () => void>(true);
for (const event of ["node_up", "node_suspect", "link_full", "lease_lost", "lease_regained", "engine_down"] as const) {
  cluster.on(event, async () => {});
  system.on(event, ({ id }) => is<typeof id, string>(true));
}
system.on("node_down", ({ node: which, why }) => {
  is<[typeof which, "left" extends typeof why ? true : false], [string, true]>(true);
});
// @ts-expect-error no such event
cluster.on("node_upp", () => {});

const hasher = await system.startChild<typeof Hasher>({ id: "hasher", actor: "hasher.js", args: { rounds: 3 } });
await cluster.register("hasher", hasher);
await cluster.unregister("hasher");
const known = cluster.whereis<typeof Hasher>("hasher");
is<typeof known, ActorRef<typeof Hasher> | undefined>(true);
const found = await cluster.lookup<typeof Hasher>("hasher");
is<typeof found, ActorRef<typeof Hasher> | undefined>(true);
if (found !== undefined) {
  const digest = await found.call("hash", "text");
  is<typeof digest, string>(true);
  // @ts-expect-error no such method
  await found.call("hashh", "text");
}

const workers = cluster.group<typeof Hasher>("workers");
workers.join(hasher);
workers.leave(hasher);
const [members, localMembers] = [workers.members(), workers.localMembers()];
is<[typeof members, typeof localMembers], [ActorRef<typeof Hasher>[], ActorRef<typeof Hasher>[]]>(true);
workers.onChange(({ joined, left }) => void [...joined, ...left])();
const [any, one] = [workers.any(), workers.forKey("k")];
is<typeof any, ActorRef<typeof Hasher> | undefined>(true);
is<typeof one, ActorRef<typeof Hasher> | undefined>(true);

await system.startChild(
  singleton({ id: "billing", actor: new URL("./hasher.js", import.meta.url), args: {}, on: { role: "backend" } }),
);
const billing = cluster.singleton<typeof Hasher>("billing");
is<typeof billing, ActorRef<typeof Hasher>>(true);
// @ts-expect-error a singleton's name is its id
singleton({ id: "billing", actor: "hasher.js", name: "billing" });

const entity = defineEntity({
  init: ({ id, snapshot }): { id: string; items: string[] } => (snapshot as never) ?? { id, items: [] },
  handlers: {
    async add(ctx, item: string) {
      ctx.state.items.push(item);
      await ctx.save();
      return isHeld(ctx.fence);
    },
    over: (ctx) => ctx.passivate(),
  },
  passivateAfterMs: 120_000,
  store: "kv",
});
const carts = await cluster.shards<typeof entity>({
  id: "cart",
  entity: new URL("./cart.entity.js", import.meta.url),
  shards: 64,
  on: { role: "backend" },
  settleMs: 10_000,
});
is<typeof carts, Shards<typeof entity>>(true);
const isOwned = await carts.ref("cart-17").call("add", "apple");
is<typeof isOwned, boolean>(true);
// @ts-expect-error an item is a text
await carts.ref("cart-17").call("add", 7);
const token = (fence: Fence): readonly [number, number] => fence.token;
is<ReturnType<typeof token>, readonly [number, number]>(true);

const onNode = await system.startChild(
  remote<typeof Hasher>({ id: "indexer", offer: "indexer", on: { node: "c" }, args: {}, restart: "transient" }),
);
is<typeof onNode, ActorRef<typeof Hasher>>(true);
await system.startChild(remote({ id: "other", offer: "indexer", on: { anyOf: { role: "backend" } } }));
// @ts-expect-error it runs on a node, or where labels are
remote({ id: "other", offer: "indexer", on: { labels: {} } });

await startObserver(system, { nodes: cluster.observed });
registerMetrics(system, { cluster: cluster.meters });
void observeMetrics;
await cluster.leave({ timeoutMs: 20_000 });

await using inOneProcess = await testCluster({ nodes: 3 });
inOneProcess.partition(["a"], ["b", "c"]);
inOneProcess.heal();
await inOneProcess.stop("b");
