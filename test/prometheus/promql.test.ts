import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testCluster } from "@mini-otp/cluster/testing";
import { METRICS, registerMetrics } from "@mini-otp/metrics";
import { dynamicSupervisor, pool, supervisor } from "@mini-otp/runtime";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { parseExposition } from "../support/exposition.js";
import { promtool } from "../support/promtool.js";
import { fixture, testSystem } from "../support/system.js";

const packageRoot = new URL("../../../packages/metrics/", import.meta.url);
const rulesFile = fileURLToPath(new URL("alerts/mini-otp.yml", packageRoot));
const dashboard = JSON.parse(readFileSync(new URL("grafana/mini-otp.json", packageRoot), "utf8"));

const TASKS = new URL("../pool/fixtures/work.js", import.meta.url);

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}
const panels: readonly Panel[] = dashboard.panels;
const panelQueries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));
const alertQueries = [...readFileSync(rulesFile, "utf8").matchAll(/alert: (\S+)\n\s+expr: (.+)/g)].map(
  ([, title, expr]) => ({ title, expr }),
);

/** As Grafana asks it. */
const filledIn = (expr: string): string => expr.replaceAll("$__rate_interval", "5m").replaceAll("$type", ".*");

/** A system in which everything has happened once that metrics count. */
async function scrape(): Promise<string> {
  const system = await testSystem();
  const registry = new Registry();
  const nodes = await testCluster({ nodes: 2 });
  onTestFinished(() => nodes[Symbol.asyncDispose]());
  const [a] = nodes.nodes;
  const cluster = { read: () => ({ ...a.cluster.meters.read(), shards: { held: 1, moving: 0 } }) };
  const { unregister } = registerMetrics(system, { registry, cluster });
  onTestFinished(unregister);
  await expect.poll(() => a.cluster.nodes()[0].rttMs).toBeGreaterThan(0);
  const meter = { id: "meter", name: "meter", actor: fixture("meter"), handlerTimeoutMs: 50 };
  const failing = {
    id: "failing",
    intensity: 0,
    restart: "temporary",
    children: [{ ...meter, name: "failing" }],
  } as const;
  await system.startChild(supervisor({ id: "sup", children: [meter] }));
  await system.startChild(supervisor(failing));
  const light = { id: "light", threads: { count: 1 }, template: { actor: fixture("meter") } };
  await system.startChild(dynamicSupervisor(light));
  const tasks = await system.startChild(pool({ id: "tasks", filename: TASKS, maxThreads: 1 }));
  await tasks.run(1);
  let restarts = 0;
  system.on("actor_restarted", () => restarts++);
  const escalated = new Promise((resolve) => system.on("supervisor_escalated", resolve));
  await system.whereis("failing")?.cast("crash");
  await escalated;
  await system.whereis("meter")?.cast("spin");
  await expect.poll(() => restarts, { timeout: 20_000 }).toBe(1);
  return registry.metrics();
}

/** The series of a scrape as promtool's tests take them: counters go on, gauges stay. */
function inputSeries(text: string): string {
  const counters = new Set(METRICS.filter(({ type }) => type !== "gauge").map(({ name }) => `mini_otp_${name}`));
  return parseExposition(text)
    .map(({ name, labels, value }) => {
      const pairs = Object.entries(labels).map(([key, label]) => `${key}="${label}"`);
      const goesOn = counters.has(name.replace(/_(?:bucket|sum|count)$/, "")) ? 1 : 0;
      return `      - { series: '${name}{${pairs.join(",")}}', values: '${value}+${goesOn}x30' }`;
    })
    .join("\n");
}

function inFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "promql-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

test("promtool accepts the alert rules, and there is one for each thing that is worth waking up for", () => {
  expect(promtool(["check", "rules", rulesFile]).code).toBe(0);
  const names = alertQueries.map(({ title }) => title);
  for (const name of ["MailboxNearlyFull", "RestartsNearLimit", "Escalation", "HeapNearCap"]) {
    expect(names).toContain(`MiniOtp${name}`);
  }
});

test("every query of the dashboard and of the alerts finds its series in a scrape", async () => {
  const series = inputSeries(await scrape());
  // Without their thresholds, which a healthy system does not reach.
  const found = (expr: string): string => `count(${filledIn(expr).replace(/ > [\d.]+$/, "")}) > 0`;
  const queries = [...panelQueries, ...alertQueries];
  const rule = ({ expr }: { readonly expr: string }, i: number) =>
    `      - { alert: Query${i}, expr: '${found(expr)}' }`;
  const expectation = (_: unknown, i: number) =>
    `      - { eval_time: 20m, alertname: Query${i}, exp_alerts: [{ exp_labels: {} }] }`;
  const folder = inFolder({
    "rules.yml": `groups:\n  - name: queries\n    rules:\n${queries.map(rule).join("\n")}\n`,
    "test.yml": `rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
${series}
    alert_rule_test:
${queries.map(expectation).join("\n")}
`,
  });
  const { code, output } = promtool(["test", "rules", join(folder, "test.yml")]);
  expect(output).toContain("SUCCESS");
  expect(code).toBe(0);
});

test("a query for a series that does not exist would be found", async () => {
  const folder = inFolder({
    "rules.yml": "groups: [{ name: q, rules: [{ alert: Query0, expr: 'count(mini_otp_no_such) > 0' }] }]\n",
    "test.yml": `rule_files: [rules.yml]
tests:
  - interval: 1m
    input_series: [{ series: 'mini_otp_actors', values: '1x30' }]
    alert_rule_test: [{ eval_time: 20m, alertname: Query0, exp_alerts: [{ exp_labels: {} }] }]
`,
  });
  expect(promtool(["test", "rules", join(folder, "test.yml")]).code).not.toBe(0);
});

const FIRING = [
  [
    "MiniOtpMailboxNearlyFull",
    'mini_otp_actor_mailbox_fill_ratio{type="a",actor="b"}',
    "0.81x30",
    { type: "a", actor: "b" },
  ],
  ["MiniOtpMailboxNearlyFull", 'mini_otp_actor_mailbox_fill_ratio{type="a"}', "0.8x30", null],
  ["MiniOtpHeapNearCap", 'mini_otp_actor_heap_fill_ratio{type="a"}', "0.91x30", { type: "a" }],
  ["MiniOtpHeapNearCap", 'mini_otp_actor_heap_fill_ratio{type="a"}', "0.5x9 0.95 0.5x20", null],
  [
    "MiniOtpEscalation",
    'mini_otp_supervisor_escalations_total{supervisor="root/s"}',
    "0x14 1x15",
    { supervisor: "root/s" },
  ],
  ["MiniOtpEscalation", 'mini_otp_supervisor_escalations_total{supervisor="root/s"}', "1x30", null],
  ["MiniOtpPoolQueueNearlyFull", 'mini_otp_pool_queue_length{pool="root/p"}', "9x30", { pool: "root/p" }],
  ["MiniOtpPoolQueueNearlyFull", 'mini_otp_pool_queue_length{pool="root/p"}', "8x30", null],
  ["MiniOtpZombieThread", "mini_otp_zombie_threads", "1x30", {}],
  ["MiniOtpClusterDisconnected", "mini_otp_cluster_connected", "0x30", {}],
  ["MiniOtpClusterDisconnected", "mini_otp_cluster_connected", "1x30", null],
  ["MiniOtpClusterLeaseNotHeld", "mini_otp_cluster_lease_held", "0x30", {}],
  ["MiniOtpClusterLeaseNotHeld", "mini_otp_cluster_lease_held", "1x30", null],
  ["MiniOtpClusterLinkFull", 'mini_otp_cluster_link_window_full_seconds_total{node="b"}', "0+40x30", { node: "b" }],
  ["MiniOtpClusterLinkFull", 'mini_otp_cluster_link_window_full_seconds_total{node="b"}', "0+20x30", null],
] as const;

test.each(FIRING)("%s on %s %s", (alert, series, values, labels) => {
  const severity = /Escalation|Zombie|Disconnected|LeaseNotHeld/.test(alert) ? "critical" : "warning";
  const fired = labels === null ? "" : JSON.stringify({ ...labels, severity });
  const folder = inFolder({
    "test.yml": `rule_files: [${JSON.stringify(rulesFile)}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: '${series}', values: '${values}' }
      - { series: 'mini_otp_pool_queue_capacity{pool="root/p"}', values: '10x30' }
    promql_expr_test:
      - expr: 'count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)'
        eval_time: 20m
        exp_samples: [{ labels: '{}', value: ${labels === null ? 0 : 1} }]
`,
  });
  const { output, code } = promtool(["test", "rules", join(folder, "test.yml")]);
  expect([fired, output]).toEqual([fired, expect.stringContaining("SUCCESS")]);
  expect(code).toBe(0);
});

test("restarts near the limit fire from two of three on", () => {
  const folder = inFolder({
    "test.yml": `rule_files: [${JSON.stringify(rulesFile)}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: 'mini_otp_supervisor_recent_restarts{supervisor="root/a"}', values: '2x30' }
      - { series: 'mini_otp_supervisor_restart_intensity{supervisor="root/a"}', values: '3x30' }
      - { series: 'mini_otp_supervisor_recent_restarts{supervisor="root/b"}', values: '1x30' }
      - { series: 'mini_otp_supervisor_restart_intensity{supervisor="root/b"}', values: '3x30' }
    promql_expr_test:
      - expr: 'count by (supervisor) (ALERTS{alertname="MiniOtpRestartsNearLimit",alertstate="firing"})'
        eval_time: 20m
        exp_samples: [{ labels: '{supervisor="root/a"}', value: 1 }]
`,
  });
  expect(promtool(["test", "rules", join(folder, "test.yml")]).output).toContain("SUCCESS");
});

test("the dashboard shows every metric, but for capacities and counts of what is", () => {
  const queries = panelQueries.map(({ expr }) => expr).join("\n");
  const missing = METRICS.map(({ name }) => name).filter((name) => !queries.includes(`mini_otp_${name}`));
  expect(missing).toEqual([
    "actor_mailbox_capacity",
    "actor_mailbox_bytes",
    "actor_mailbox_capacity_bytes",
    "actor_starts_total",
    "actor_heap_cap_bytes",
    "actors",
    "spare_threads_limit",
    "build_info",
  ]);
});
