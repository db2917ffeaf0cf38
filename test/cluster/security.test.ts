import { readFileSync } from "node:fs";
import { joinCluster, singleton } from "@mini-otp/cluster";
import { type ActorRef, type ActorSystem, startSystem } from "@mini-otp/runtime";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { encodeFrame } from "#cluster/link/frame.js";
import { encodeHello } from "#cluster/link/hello.js";
import { findTool, tool } from "../support/tools.js";
import { NatsServer } from "./nats-server.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
const LEDGER = new URL("./fixtures/ledger.actor.js", import.meta.url);
const CART = new URL("./fixtures/cart.entity.js", import.meta.url);
const SAMPLE = new URL("../../../packages/cluster/deploy/nats-server.conf", import.meta.url);

let server: NatsServer;
const connections: NatsConnection[] = [];
const systems: ActorSystem[] = [];

beforeAll(async () => {
  if (findTool("nats-server") === undefined) return;
  // As it is, but for the address and the passwords.
  const sample = readFileSync(SAMPLE, "utf8").replace(/^listen:.*$/m, "");
  server = await NatsServer.start(
    sample.replace(/\$PASSWORD_(\w+)/g, (_, user: string) => `"of-${user.toLowerCase()}"`),
  );
  const admin = await user("admin");
  await new Kvm(admin).create("motp-shop", {
    history: 1,
    storage: "file" as never,
    republish: { src: "$KV.motp-shop.>", dest: "motp.shop.kv.>" },
  });
  await new Kvm(admin).create("motp-shop-state", { history: 1, storage: "file" as never });
});
beforeEach(() => void tool("nats-server"));
afterAll(async () => {
  await Promise.all(systems.map((system) => system.stop()));
  await Promise.all(connections.map((connection) => connection.close()));
  // Where nats-server is missing, none was started.
  await (server as NatsServer | undefined)?.[Symbol.asyncDispose]();
});

async function user(name: string): Promise<NatsConnection> {
  const connection = await connect({ servers: server.url, user: name, pass: `of-${name}`, inboxPrefix: `_R.${name}` });
  connections.push(connection);
  return connection;
}

/** What the server says that a connection may not do. */
function refusals(connection: NatsConnection): string[] {
  const seen: string[] = [];
  void (async () => {
    for await (const status of connection.status()) if (status.type === "error") seen.push(status.error.message);
  })();
  return seen;
}

async function node(name: string): Promise<{ system: ActorSystem; cluster: Awaited<ReturnType<typeof joinCluster>> }> {
  const system = await startSystem({ logger: false });
  systems.push(system);
  const auth = { user: name, pass: `of-${name}` };
  return { system, cluster: await joinCluster(system, { cluster: "shop", node: name, servers: [server.url], auth }) };
}

describe("the sample configuration of a nats-server", () => {
  it("lets nodes join, register names and send to each other", async () => {
    const [a, b] = await Promise.all([node("a"), node("b")]);
    const worker = (await b.system.startChild({ id: "worker", actor: WORKER })) as ActorRef;
    await b.cluster.register("worker", worker);
    const far = await until("the name", () => a.cluster.whereis("worker"));
    await until("the node", () => a.cluster.nodes().length === 1);
    expect(await far.call("echo", "through the sample")).toBe("through the sample");
    expect((await a.cluster.lookup("worker"))?.id).toBe("b:root/worker");
    await Promise.all([a.system.stop(), b.system.stop()]);
  });

  it("lets shards move and entities save: what one node has saved is there on the next", async () => {
    const [a, b] = await Promise.all([node("a"), node("b")]);
    const spec = { id: "cart", entity: CART, shards: 4, settleMs: 0 };
    const ids = Array.from({ length: 12 }, (_, i) => `cart-${i}`);
    const onA = await a.cluster.shards(spec);
    for (const id of ids) await onA.ref(id).call("add", id);
    const onB = await b.cluster.shards(spec);
    await until("its share", () => onB.stats().held > 0 && onA.stats().held + onB.stats().held === 4);
    for (const id of ids) await onB.ref(id).call("add", "more");
    await a.system.stop();
    expect(await Promise.all(ids.map((id) => onB.ref(id).call("items")))).toEqual(ids.map((id) => [id, "more"]));
    expect(onB.stats().held).toBe(4);
    await b.system.stop();
  });

  it("lets no node send as another, nor read what is for another", async () => {
    const [c, b] = [await user("c"), await user("b")];
    const got: string[] = [];
    b.subscribe("motp.shop.l.b.*", { callback: (_error, { subject }) => void got.push(subject) });
    await b.flush();
    const refused = refusals(c);
    c.publish("motp.shop.l.b.a", "as another");
    c.publish("motp.shop.hb.a", "as another");
    c.publish("motp.shop.l.b.c", "as itself");
    await until("the message", () => got.length > 0);
    expect(got).toEqual(["motp.shop.l.b.c"]);
    c.subscribe("motp.shop.l.a.*", { callback: () => {} });
    await until("the refusals", () => refused.length >= 3);
    for (const subject of ["motp.shop.l.b.a", "motp.shop.hb.a", "motp.shop.l.a.*"]) {
      expect(refused.some((refusal) => refusal.includes(subject))).toBe(true);
    }
  });

  it("lets no node purge or delete what is kept, and lets no user in without its password", async () => {
    const c = await user("c");
    const refused = refusals(c);
    for (const subject of [
      "$JS.API.STREAM.PURGE.KV_motp-shop",
      "$JS.API.STREAM.DELETE.KV_motp-shop",
      "$JS.API.ACCOUNT.PURGE.SHOP",
      "$SYS.REQ.SERVER.PING",
    ]) {
      c.publish(subject, "{}", { reply: "_R.c.answer" });
    }
    await until("the refusals", () => refused.length >= 4);
    await expect(connect({ servers: server.url })).rejects.toThrow(/authoriz/i);
    await expect(connect({ servers: server.url, user: "a", pass: "of-b" })).rejects.toThrow(/authoriz/i);
  });

  it("lets no node answer in the server's place, read the answers to another, or make streams and consumers", async () => {
    const c = await user("c");
    const refused = refusals(c);
    const subjects = [
      "_R.a.answer",
      "$JS.API.STREAM.CREATE.OWN",
      "$JS.API.STREAM.UPDATE.KV_motp-shop",
      "$JS.API.STREAM.SNAPSHOT.KV_motp-shop",
      "$JS.API.STREAM.RESTORE.KV_motp-shop",
      "$JS.API.STREAM.MSG.DELETE.KV_motp-shop-state",
      "$JS.API.CONSUMER.CREATE.KV_motp-shop",
      "$KV.motp-other.node.a",
      "motp.other.hb.c",
    ];
    for (const subject of subjects) c.publish(subject, "{}", { reply: "_R.c.answer" });
    const followed = ["_R.a.>", "_R.>", ">", "$KV.>", "$JS.API.>"];
    for (const subject of followed) c.subscribe(subject, { callback: () => {} });
    await until("the refusals", () => refused.length >= subjects.length + followed.length);
    for (const subject of [...subjects, ...followed]) {
      expect(refused.some((refusal) => refusal.includes(`"${subject}"`))).toBe(true);
    }
  });

  it("49, 50. a user of one node sends what it likes to another and into the bucket: it ends no node, and reaches no actor", async () => {
    const [a, b] = await Promise.all([node("a"), node("b")]);
    const hidden = (await a.system.startChild({ id: "hidden", actor: WORKER })) as ActorRef;
    const worker = (await b.system.startChild({ id: "worker", actor: WORKER })) as ActorRef;
    await b.cluster.register("there", worker);
    const c = await user("c");
    const js = jetstream(c);
    const values = [
      "",
      "no JSON",
      "null",
      "[]",
      "7",
      "x".repeat(900_000),
      JSON.stringify({ epoch: "later", shards: {}, node: 7, incarnation: [], term: "many", ref: 1 }),
      JSON.stringify({
        epoch: -1,
        node: "a",
        incarnation: "a",
        term: 1,
        ref: ["a", "a", 1, "root/hidden"],
        generation: "1",
      }),
      JSON.stringify({
        epoch: 2 ** 52,
        node: "d",
        incarnation: "d1",
        term: 1,
        version: "9".repeat(10_000),
        ref: [null],
      }),
    ];
    const keys = [
      "meta",
      "node.c",
      "node.zz",
      "name.zz",
      "name.6162",
      "one.62696c6c696e67",
      "shard.63",
      "shard.63.at.c",
      "shard.63.1",
    ];
    for (const value of values) {
      for (const key of keys) await js.publish(`$KV.motp-shop.${key}`, value).catch(() => {});
      for (const subject of ["motp.shop.l.a.c", "motp.shop.hb.c"]) c.publish(subject, value);
    }
    const hello = encodeHello({ incarnation: "c1", startedAt: 1, oldest: 1, newest: 1 });
    const frame = { from: 77, to: 0, seq: 0, ack: 0 };
    for (let i = 0; i < 3000; i++) {
      const bytes = encodeFrame({
        ...frame,
        type: ((i % 7) + 1) as never,
        body: i % 7 === 1 ? hello : Buffer.alloc(i % 60, i),
      });
      if (i % 3 === 0) bytes[i % bytes.length] = i;
      c.publish("motp.shop.l.a.c", bytes);
    }
    await c.flush();
    await a.system.startChild(singleton({ id: "billing", actor: LEDGER, args: { of: "a" } }));
    const billing = b.cluster.singleton("billing");
    const [epoch] = (await until("its token", () => billing.call("token").catch(() => undefined))) as [number];
    expect(epoch).toBeGreaterThan(Date.now() - 3_600_000);
    expect(epoch).toBeLessThan(Date.now() + 3_600_000);
    const far = await until("the name", () => a.cluster.whereis("there"));
    expect(await far.call("echo", "goes on")).toBe("goes on");
    expect(await hidden.call("noted")).toEqual([]);
    expect(a.cluster.whereis("ab")).toBeUndefined();
    await expect(b.cluster.register("ab", worker)).resolves.toBeUndefined();
    await Promise.all([a.system.stop(), b.system.stop()]);
  });

  it("a wrong password is ERR_CLUSTER_AUTH, and is in no error", async () => {
    const system = await startSystem({ logger: false });
    systems.push(system);
    const auth = { user: "a", pass: "of-nothing-at-all" };
    const joining = joinCluster(system, { cluster: "shop", node: "a", servers: [server.url], auth });
    const error = await joining.catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: "ERR_CLUSTER_AUTH", node: "a" });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain("of-nothing-at-all");
  });
});
