import { writeFileSync } from "node:fs";
import { joinCluster, type NatsOptions } from "@mini-otp/cluster";
import { type ActorRef, type ActorSystem, startSystem } from "@mini-otp/runtime";
import { nkeys } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { tool } from "../support/tools.js";
import { Certificates } from "./certificates.js";
import { operatorWithUser } from "./credentials.js";
import { NatsServer } from "./nats-server.js";
import { until } from "./until.js";

const WORKER = new URL("./fixtures/worker.actor.js", import.meta.url);
let files: Certificates;
let server: NatsServer | undefined;
let systems: ActorSystem[] = [];

beforeAll(() => {
  files = new Certificates();
});
afterAll(() => files[Symbol.dispose]());
afterEach(async () => {
  await Promise.all(systems.map((system) => system.stop()));
  systems = [];
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

async function join(node: string, options: Omit<NatsOptions, "cluster" | "node">) {
  const system = await startSystem({ logger: false });
  systems.push(system);
  return { system, cluster: await joinCluster(system, { cluster: "shop", node, heartbeatMs: 200, ...options }) };
}

/** Two nodes join with these, and one calls the other's actor. */
async function talk(options: Omit<NatsOptions, "cluster" | "node">): Promise<void> {
  const [a, b] = [await join("a", options), await join("b", options)];
  const there = (await b.system.startChild({ id: "worker", actor: WORKER })) as ActorRef;
  await b.cluster.register("worker", there);
  await until("each other", () => a.cluster.nodes().length === 1);
  const here = await until("the name", () => a.cluster.whereis("worker"));
  expect(await here.call("echo", { over: "it" })).toEqual({ over: "it" });
}

const serverTls = (): string =>
  `tls { cert_file: "${files.path("server.pem")}", key_file: "${files.path("server.key")}", ca_file: "${files.path("ca.pem")}", verify: true, timeout: 10 }`;

describe("a cluster over TLS", () => {
  it("nodes join with a password and a certificate of their own; a server of another authority, and a wrong password, are refused", async () => {
    tool("nats-server");
    const users = `authorization { users: [{ user: node, password: "secret" }] }`;
    server = await NatsServer.start(`jetstream: enabled\n${users}\n${serverTls()}`);
    const servers = [`tls://localhost:${server.port}`];
    const auth = { user: "node", pass: "secret" };
    const [caFile, certFile, keyFile] = ["ca.pem", "node.pem", "node.key"].map((name) => files.path(name));
    await talk({ servers, auth, tls: { caFile, certFile, keyFile } });
    await expect(join("c", { servers, auth, tls: { certFile, keyFile } })).rejects.toMatchObject({
      code: "ERR_CLUSTER_ENGINE",
      message: expect.stringMatching(/certificate/i),
    });
    await expect(
      join("e", { servers, auth: { user: "node", pass: "no" }, tls: { caFile, certFile, keyFile } }),
    ).rejects.toMatchObject({ code: "ERR_CLUSTER_AUTH" });
  });
});

describe("what a node says to the servers which it is by", () => {
  it("the seed of an nkey", async () => {
    tool("nats-server");
    const key = nkeys.createUser();
    server = await NatsServer.start(`jetstream: enabled\nauthorization { users: [{ nkey: ${key.getPublicKey()} }] }`);
    const seedOf = (of: typeof key): string => new TextDecoder().decode(of.getSeed());
    await talk({ servers: [server.url], auth: { nkeySeed: seedOf(key) } });
    const other = join("c", { servers: [server.url], auth: { nkeySeed: seedOf(nkeys.createUser()) } });
    await expect(other).rejects.toMatchObject({ code: "ERR_CLUSTER_AUTH" });
  });

  it("a .creds file, with the JWT that an operator has signed", async () => {
    tool("nats-server");
    const { config, creds } = operatorWithUser("node");
    server = await NatsServer.start(config);
    const [own, others] = [files.path("node.creds"), files.path("other.creds")];
    writeFileSync(own, creds);
    writeFileSync(others, operatorWithUser("node").creds);
    await talk({ servers: [server.url], auth: { creds: own } });
    await expect(join("c", { servers: [server.url], auth: { creds: others } })).rejects.toMatchObject({
      code: "ERR_CLUSTER_AUTH",
    });
  });
});
