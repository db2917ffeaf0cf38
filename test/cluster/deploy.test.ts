import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Cluster, joinCluster, type NatsOptions } from "@mini-otp/cluster";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { startProgram } from "../support/program.js";
import { testSystem } from "../support/system.js";
import { NatsServer } from "./nats-server.js";
import { until } from "./until.js";

const DEPLOY = new URL("../../../packages/cluster/deploy/", import.meta.url);
const SERVICE = new URL("../../../examples/dist/cluster-service/", import.meta.url);
interface ServiceOptions {
  readonly nats: NatsOptions;
  readonly port: number;
}

const { ENVIRONMENT, serviceOptions } = (await import(new URL("environment.js", SERVICE).href)) as {
  ENVIRONMENT: object;
  serviceOptions(environment: Record<string, string>): ServiceOptions;
};
const source = readFileSync(new URL("../../../examples/cluster-service/main.ts", import.meta.url), "utf8");
const STOP_TIMEOUT_S = Number(/STOP_TIMEOUT_MS = ([\d_]+)/.exec(source)?.[1].replaceAll("_", "")) / 1000;
const text = (file: string): string => readFileSync(new URL(file, DEPLOY), "utf8");

interface Container {
  readonly env: { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly ports: { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: { readonly name: string; readonly mountPath: string }[];
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string; readonly port: string } };
}

/** Options that a node refuses come back with what is allowed: no server is asked for those that it takes. */
async function takes({ nats }: ServiceOptions): Promise<void> {
  const servers = nats.servers.map((url) => url.replace(/\/\/.*$/, "//127.0.0.1:1"));
  const system = await testSystem();
  const { auth: _, ...open } = nats;
  await expect(joinCluster(system, { ...open, servers })).rejects.toMatchObject({ code: "ERR_CLUSTER_ENGINE" });
}

describe("the deployment files", () => {
  it("the compose file gives each node what the program reads, and nothing else, and users that the server has", async () => {
    const { services } = parse(text("compose.yaml"), { merge: true });
    const server = text("nats-server.conf");
    const nodes = Object.entries<any>(services).filter(([name]) => name !== "nats");
    expect(nodes.map(([name]) => name)).toEqual(["shop-a", "shop-b", "shop-c"]);
    for (const [name, { environment, stop_grace_period: grace, healthcheck, image }] of nodes) {
      const node = name.replace("shop-", "");
      expect(Object.keys(ENVIRONMENT)).toEqual(expect.arrayContaining(Object.keys(environment)));
      expect([image, environment.NODE_NAME, environment.NATS_PASSWORD]).toEqual([
        "shop",
        node,
        `\${PASSWORD_${node.toUpperCase()}}`,
      ]);
      const options = serviceOptions(environment);
      await takes(options);
      expect(options.nats.auth).toEqual({ user: node, pass: environment.NATS_PASSWORD });
      expect(server).toContain(`user: ${node}, password: $PASSWORD_${node.toUpperCase()}`);
      expect(server).toContain(`"motp.${options.nats.cluster}.hb.${node}"`);
      expect(options.nats.servers).toEqual(["nats://nats:4222"]);
      expect(healthcheck.test.join(" ")).toContain(`http://127.0.0.1:${options.port}/livez`);
      expect(Number.parseInt(grace, 10)).toBeGreaterThan(STOP_TIMEOUT_S);
    }
    expect(server).toContain('listen: "0.0.0.0:4222"');
    for (const name of server.match(/\$PASSWORD_\w+/g) ?? []) {
      expect(services.nats.environment).toContain(name.slice(1));
    }
  });

  it("the manifests of Kubernetes are of one application, with creds from a Secret, probes and an update of one node after the other", async () => {
    const documents = parseAllDocuments(text("kubernetes.yaml")).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS();
    });
    expect(documents.map(({ kind, apiVersion }) => `${apiVersion} ${kind}`)).toEqual([
      "v1 Service",
      "policy/v1 PodDisruptionBudget",
      "apps/v1 StatefulSet",
    ]);
    const [service, budget, { spec, metadata }] = documents;
    const { template } = spec;
    for (const selector of [service.spec.selector, budget.spec.selector.matchLabels, spec.selector.matchLabels]) {
      expect(template.metadata.labels).toMatchObject(selector);
    }
    expect([spec.serviceName, spec.updateStrategy.type, budget.spec.maxUnavailable]).toEqual([
      service.metadata.name,
      "RollingUpdate",
      1,
    ]);
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(STOP_TIMEOUT_S);
    const [container] = template.spec.containers as Container[];
    expect(Object.keys(ENVIRONMENT)).toEqual(expect.arrayContaining(container.env.map(({ name }) => name)));
    // Kubernetes puts in the variables that come before.
    expect(container.env[0]).toEqual({ name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } });
    for (let pod = 0; pod < spec.replicas; pod++) {
      const name = `${metadata.name}-${pod}`;
      const given = container.env.map(({ name: of, value = name }) => [of, value.replaceAll("$(NODE_NAME)", name)]);
      const options = serviceOptions(Object.fromEntries(given));
      await takes(options);
      expect(options.nats.node).toBe(name);
      const [mount] = container.volumeMounts;
      expect(options.nats.auth).toEqual({ creds: `${mount.mountPath}/${name}.creds` });
      const volume = template.spec.volumes.find((other: { name: string }) => other.name === mount.name);
      expect(text("kubernetes.yaml")).toContain(`secret generic ${volume.secret.secretName} `);
      expect(text("kubernetes.yaml")).toContain(`--from-file=${name}.creds`);
      expect(container.ports).toEqual([{ name: "observer", containerPort: options.port }]);
      expect(service.spec.ports[0].port).toBe(options.port);
    }
    const probed = ["startup", "liveness", "readiness"].map((kind) => container[`${kind}Probe`].httpGet);
    expect(probed.map(({ path, port }) => [path, port])).toEqual([
      ["/readyz", "observer"],
      ["/livez", "observer"],
      ["/readyz", "observer"],
    ]);
  });

  it("the program that they deploy joins, answers probes and metrics, and leaves when it is asked to end", async () => {
    await using server = await NatsServer.start();
    const environment = { CLUSTER: "shop", NODE_NAME: "shop-0", NATS_SERVERS: server.url, OBSERVER_PORT: "0" };
    const program = startProgram(fileURLToPath(new URL("main.js", SERVICE)), [], environment);
    await program.says("has joined shop");
    const url = /http:\/\/\S+/.exec(program.output())?.[0].replace("0.0.0.0", "127.0.0.1");
    for (const path of ["/livez", "/readyz"]) expect((await fetch(new URL(path, url))).status).toBe(200);
    const system = await testSystem();
    const cluster: Cluster = await joinCluster(system, { cluster: "shop", node: "b", servers: [server.url] });
    await until("the node", () => cluster.nodes().length === 1);
    const counter = cluster.singleton("counter");
    expect(await counter.call("add", 2)).toBe(2);
    const downs: string[] = [];
    cluster.on("node_down", ({ node, why }) => downs.push(`${node} ${why}`));
    program.process.kill("SIGTERM");
    const { code, signal } = await program.ended;
    await until("its end", () => downs.length > 0);
    expect(downs).toEqual(["shop-0 left"]);
    expect([code, signal]).toEqual([0, null]);
  });

  it("the program says in one line what is not set", async () => {
    const { output, errors, code } = await startProgram(fileURLToPath(new URL("main.js", SERVICE)), [], {
      CLUSTER: "",
      NODE_NAME: "a",
    }).ended;
    expect([output, errors, code]).toEqual(["", "cluster-service: CLUSTER is not set: name of the cluster\n", 2]);
  });
});
