import { type TestCluster, testCluster } from "@mini-otp/cluster/testing";
import { METRICS, registerMetrics } from "@mini-otp/metrics";
import type { ActorRef } from "@mini-otp/runtime";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import type Worker from "../cluster/fixtures/worker.actor.js";
import { until } from "../cluster/until.js";
import { parseExposition } from "../support/exposition.js";
import { testSystem } from "../support/system.js";

const WORKER = new URL("../cluster/fixtures/worker.actor.js", import.meta.url);
const OF_CLUSTERS = METRICS.filter(({ of }) => of === "cluster" || of === "link");
let nodes: TestCluster;
let here: ActorRef<typeof Worker>;
const registry = new Registry();

beforeAll(async () => {
  nodes = await testCluster({ nodes: 2, window: { messages: 256 } });
  const [a, b] = nodes.nodes;
  registerMetrics(a.system, { registry, cluster: a.cluster.meters });
  await b.cluster.register("worker", await b.system.startChild({ id: "worker", actor: WORKER, offHeapCapMb: 512 }));
  here = await until("the name", () => a.cluster.whereis<typeof Worker>("worker"));
});
afterAll(() => nodes[Symbol.asyncDispose]());

async function value(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  const samples = parseExposition(await registry.metrics());
  const isOne =
    ([key, text]: [string, string]) =>
    (sample: { labels: Record<string, string> }) =>
      sample.labels[key] === text;
  return samples.find(
    (sample) => sample.name === `mini_otp_${name}` && Object.entries(labels).every((label) => isOne(label)(sample)),
  )?.value;
}

test("a system without a cluster has none of a cluster's series", async () => {
  const alone = new Registry();
  registerMetrics(await testSystem(), { registry: alone });
  const text = await alone.metrics();
  expect(OF_CLUSTERS.length).toBeGreaterThan(15);
  for (const { name } of OF_CLUSTERS) expect(text).not.toContain(`mini_otp_${name}`);
});

test("nodes, the connection, the lease, names and the bucket's answers are told", async () => {
  expect(await value("cluster_nodes", { state: "up" })).toBe(1);
  expect(await value("cluster_nodes", { state: "suspect" })).toBe(0);
  expect(await value("cluster_connected")).toBe(1);
  expect(await value("cluster_lease_held")).toBe(1);
  expect(await value("cluster_lease_age_seconds")).toBeLessThan(0.8);
  expect(await value("cluster_names")).toBe(1);
  expect(await value("cluster_gateway_lag_seconds")).toBeGreaterThanOrEqual(0);
  expect(await value("cluster_bucket_seconds_count")).toBeGreaterThan(1);
  expect(await value("cluster_bucket_failures_total")).toBe(0);
});

test("a link tells its time there and back, and what goes over it", async () => {
  const toB = { node: "b" };
  const before = await value("cluster_link_records_total", { ...toB, direction: "out" });
  for (let i = 0; i < 10; i++) await here.call("echo", i);
  const after = await value("cluster_link_records_total", { ...toB, direction: "out" });
  expect((after ?? 0) - (before ?? 0)).toBe(10);
  expect(await value("cluster_link_records_total", { ...toB, direction: "in" })).toBeGreaterThanOrEqual(10);
  for (const direction of ["in", "out"]) {
    const frames = (await value("cluster_link_frames_total", { ...toB, direction })) ?? 0;
    expect(frames).toBeGreaterThanOrEqual(10);
    expect(await value("cluster_link_bytes_total", { ...toB, direction })).toBeGreaterThanOrEqual(24 * frames);
  }
  expect(await value("cluster_remote_actors", toB)).toBe(1);
  expect(await value("cluster_link_resent_total", toB)).toBe(0);
  const rtt = await until("the answer to a ping", () => value("cluster_link_rtt_seconds", toB));
  expect(rtt).toBeLessThan(5);
  expect(nodes.node("a").cluster.nodes()[0].rttMs).toBeGreaterThan(0);
});

test("calls in doubt, full windows and the loss of the connection are told", async () => {
  const toB = { node: "b" };
  const abort = new AbortController();
  const waiting = here.with({ timeoutMs: 60_000, signal: abort.signal }).call("untilAborted");
  await until("the call", async () => (await value("cluster_calls_in_doubt", toB)) === 1);
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: "ERR_CALL_ABORTED" });
  await until("its end", async () => (await value("cluster_calls_in_doubt", toB)) === 0);
  // More than a link may have on its way: it waits for the other side's acknowledgements.
  const large = "x".repeat(6_000_000);
  expect(await here.with({ timeoutMs: 20_000 }).call("echo", large)).toHaveLength(large.length);
  expect(await value("cluster_link_window_full_seconds_total", toB)).toBeGreaterThan(0);
  nodes.disconnect("a");
  await until("the loss", async () => (await value("cluster_link_rtt_seconds", toB)) === undefined);
  expect(await value("cluster_nodes", { state: "up" })).toBe(0);
  expect(await value("cluster_connected")).toBe(0);
  await until("the lease's end", async () => (await value("cluster_lease_held")) === 0);
  expect(await value("cluster_bucket_failures_total")).toBeGreaterThan(0);
  nodes.reconnect("a");
  await until("the connection", async () => (await value("cluster_nodes", { state: "up" })) === 1);
  expect(await value("cluster_connected")).toBe(1);
});

test("what is no cluster's meters is refused", async () => {
  const system = await testSystem();
  for (const cluster of [1, {}, nodes.node("a").cluster]) {
    expect(() => registerMetrics(system, { registry: new Registry(), cluster: cluster as never })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_OPTION", field: "cluster" }),
    );
  }
});
