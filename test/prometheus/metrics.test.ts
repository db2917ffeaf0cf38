import { testCluster } from "@mini-otp/cluster/testing";
import { METRICS, type MetricsOptions, registerMetrics, startObserver } from "@mini-otp/metrics";
import { type ActorSystem, dynamicSupervisor, pool, router, supervisor } from "@mini-otp/runtime";
import { Counter, Gauge, Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import type Counting from "../fixtures/counter.actor.js";
import type Meter from "../fixtures/meter.actor.js";
import { eventually } from "../support/eventually.js";
import { parseExposition, type Sample } from "../support/exposition.js";
import { promtool } from "../support/promtool.js";
import { fixture, testSystem } from "../support/system.js";

async function measured(options: MetricsOptions = {}) {
  const system = await testSystem();
  return { system, ...register(system, options) };
}

function register(system: ActorSystem, options: MetricsOptions = {}) {
  const registered = registerMetrics(system, { registry: new Registry(), ...options });
  onTestFinished(() => registered.unregister());
  const { registry } = registered;
  /** The samples of one metric, without their prefix. */
  const scrape = async (name: string): Promise<Sample[]> =>
    parseExposition(await registry.metrics()).filter((sample) => sample.name === `mini_otp_${name}`);
  const value = async (name: string, labels: object = {}): Promise<number | undefined> =>
    (await scrape(name)).find((sample) => Object.entries(labels).every(([key, text]) => sample.labels[key] === text))
      ?.value;
  return { ...registered, scrape, value };
}

const startMeter = (system: ActorSystem, spec: object = {}) =>
  system.startChild<typeof Meter>({ id: "meter", actor: fixture("meter"), ...spec });

test("every metric of the table is in a scrape, and promtool has nothing to say against them", async () => {
  await using nodes = await testCluster({ nodes: 2 });
  const { system, registry } = await measured({ cluster: nodes.node("a").cluster.meters });
  const meter = await startMeter(system, { name: "the meter", restart: "transient" });
  await system.startChild(supervisor({ id: "sup", children: [{ id: "a", actor: fixture("counter") }] }));
  await meter.call("refuse").catch(() => {});
  await meter.call("crash").catch(() => {});
  await meter.call("burn", 1);
  system.exit(meter, "kill");
  await eventually(() => system.stats(meter).incarnation === 3);
  const text = await registry.metrics();
  const names = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  expect([...names]).toEqual(METRICS.map(({ name }) => `mini_otp_${name}`));
  expect(promtool(["check", "metrics"], text)).toEqual({ code: 0, output: "" });
});

test("promtool refuses a metric that breaks the rules, so it does look", async () => {
  const registry = new Registry();
  new Counter({ name: "messages", help: "no total", registers: [registry] }).inc();
  expect(promtool(["check", "metrics"], await registry.metrics()).code).not.toBe(0);
});

test("with the prefix emqx_go_ the mailbox gauge is emqx_go_actor_mailbox_length", async () => {
  const { system, registry } = await measured({ prefix: "emqx_go_" });
  await startMeter(system, { name: "meter" });
  const text = await registry.metrics();
  expect(text).toContain('emqx_go_actor_mailbox_length{type="meter",actor="meter"} 0');
  expect(text).not.toContain("mini_otp_");
});

test("OpenMetrics registries are served too", async () => {
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  const { system } = await measured({ registry: registry as never });
  await startMeter(system);
  const text = await registry.metrics();
  expect(text).toMatch(/^mini_otp_actor_messages_handled_total\{type="meter"\} 0$/m);
  expect(text.endsWith("# EOF\n")).toBe(true);
});

// Promise: scrape-asks-actor-right
test("a hung actor's numbers are right, and it is not asked for them", async () => {
  const { system, value } = await measured();
  const meter = await startMeter(system, { name: "hung", mailbox: { capacity: 10 } });
  await meter.cast("spin");
  for (let i = 0; i < 4; i++) await meter.cast("quick");
  await eventually(() => (system.stats(meter).handling?.sinceMs ?? 0) > 200);
  const hung = { actor: "hung" };
  expect(await value("actor_mailbox_length", hung)).toBe(4);
  expect(await value("actor_mailbox_capacity", hung)).toBe(10);
  expect(await value("actor_mailbox_fill_ratio", hung)).toBe(0.4);
  expect(await value("actor_mailbox_bytes", hung)).toBeGreaterThan(0);
  expect(await value("actor_mailbox_oldest_age_seconds", hung)).toBeGreaterThan(0.1);
  expect(await value("actor_handling_age_seconds", hung)).toBeGreaterThan(0.1);
  expect(await value("actor_cpu_seconds_total", hung)).toBeGreaterThan(0.05);
  expect(await value("actor_event_loop_utilization", hung)).toBeGreaterThan(0.1);
  expect(await value("actor_messages_received_total", hung)).toBe(5);
  expect(await value("actor_running", hung)).toBe(1);
});

test("actors without a name are shown together by type, named ones each", async () => {
  const { system, scrape } = await measured();
  const start = (id: string, name?: string) =>
    system.startChild<typeof Counting>({ id, actor: fixture("counter"), ...(name === undefined ? {} : { name }) });
  const [a, b, c] = [await start("a"), await start("b"), await start("c", "third")];
  await Promise.all([a.call("add", 1), b.call("add", 1), b.call("add", 1), c.call("add", 1)]);
  await eventually(() => [a, b, c].every((ref) => system.stats(ref).handling === null));
  expect(await scrape("actor_messages_received_total")).toEqual([
    { name: "mini_otp_actor_messages_received_total", labels: { type: "counter" }, value: 3 },
    { name: "mini_otp_actor_messages_received_total", labels: { type: "counter", actor: "third" }, value: 1 },
  ]);
  expect((await scrape("actor_running")).map(({ value }) => value)).toEqual([2, 1]);
});

test("the members of a router with a name have one series with that name, which ends with the last of them", async () => {
  const { system, scrape } = await measured({ maxActors: 1 });
  const spec = { actor: fixture("counter"), size: 2, route: "round_robin" } as const;
  const routed = await system.startChild(router<typeof Counting>({ id: "r", name: "routed", ...spec }));
  await system.startChild(router<typeof Counting>({ id: "s", name: "beyond the cap", ...spec }));
  await system.startChild(router<typeof Counting>({ id: "t", ...spec }));
  for (let i = 0; i < 4; i++) await routed.call("add", 1);
  const received = async () =>
    (await scrape("actor_messages_received_total")).map(({ labels, value }) => [labels.actor, value]);
  expect(await received()).toEqual([
    ["routed", 4],
    ["__overflow__", 0],
    [undefined, 0],
  ]);
  expect((await scrape("actor_running")).map(({ value }) => value)).toEqual([2, 2, 2]);
  await routed.resize(1);
  expect((await received())[0]).toEqual(["routed", 4]);
  await routed.resize(3);
  expect((await received())[0]).toEqual(["routed", 4]);
  await system.terminateChild("r");
  await system.deleteChild("r");
  expect(await received()).toEqual([
    ["__overflow__", 0],
    [undefined, 0],
  ]);
});

test("named actors beyond the cap share one series, which keeps what the gone ones counted", async () => {
  const { system, scrape } = await measured({ maxActors: 1 });
  for (const id of ["a", "b", "c"]) {
    const ref = await system.startChild<typeof Counting>({ id, name: id, actor: fixture("counter") });
    await ref.call("add", 1);
  }
  const handled = async () =>
    (await scrape("actor_messages_received_total")).map(({ labels, value }) => [labels.actor, value]);
  expect(await handled()).toEqual([
    ["a", 1],
    ["__overflow__", 2],
  ]);
  for (const id of ["a", "b"]) {
    await system.terminateChild(id);
    await system.deleteChild(id);
  }
  expect(await handled()).toEqual([["__overflow__", 2]]);
  await system.startChild<typeof Counting>({ id: "d", name: "d", actor: fixture("counter") });
  expect(await handled()).toEqual([
    ["__overflow__", 2],
    ["d", 0],
  ]);
});

// Promise: series-named-actor-end
test("totals survive restarts; the series of a named actor that is gone disappear, and a type's counters go on", async () => {
  const { system, scrape, value, registry } = await measured();
  const named = await startMeter(system, { name: "named" });
  await named.call("burn", 2);
  await named.call("crash").catch(() => {});
  await named.call("burn", 2);
  await eventually(() => system.stats(named).mailbox.handled === 2);
  expect(await value("actor_messages_handled_total", { actor: "named" })).toBe(2);
  expect(await value("actor_messages_dropped_total", { actor: "named", reason: "crash" })).toBe(1);
  expect(await value("actor_handling_seconds_count", { actor: "named" })).toBe(3);
  expect(await value("actor_starts_total", { actor: "named" })).toBe(2);
  await system.terminateChild("meter");
  await system.deleteChild("meter");
  expect(await registry.metrics()).not.toContain("named");

  const jobs: any = await system.startChild(dynamicSupervisor({ id: "jobs" }));
  for (let i = 1; i <= 3; i++) {
    const job = await jobs.startChild({ id: String(i), actor: fixture("meter"), restart: "temporary" });
    await job.call("burn", 1);
    await jobs.terminateChild(String(i));
    expect(await value("actor_messages_handled_total", { type: "meter" })).toBe(i);
    expect(await value("actor_handling_seconds_count", { type: "meter" })).toBe(i);
  }
  expect(await scrape("actor_running")).toEqual([]);
});

test("restarts, exits, guard kills and escalations are counted by reason", async () => {
  const { system, value } = await measured();
  const spec = { id: "meter", name: "m", actor: fixture("meter"), handlerTimeoutMs: 1000 };
  // On a machine with other work the test takes longer than the default window.
  await system.startChild(
    supervisor({ id: "sup", intensity: 3, periodMs: 3_600_000, restart: "temporary", children: [spec] }),
  );
  const meter: any = system.whereis("m");
  let restarts = 0;
  system.on("actor_restarted", () => restarts++);
  await meter.call("crash").catch(() => {});
  await meter.call("quick");
  system.exit(meter, "kill");
  await eventually(() => restarts === 2);
  await meter.call("spin").catch(() => {});
  await eventually(() => restarts === 3);
  const of = (reason: string) => ({ actor: "m", reason });
  for (const reason of ["error", "killed", "unresponsive"]) {
    expect([reason, await value("actor_exits_total", of(reason))]).toEqual([reason, 1]);
    expect([reason, await value("actor_restarts_total", of(reason))]).toEqual([reason, 1]);
  }
  expect(await value("actor_guard_kills_total", of("unresponsive"))).toBe(1);
  expect(await value("supervisor_recent_restarts", { supervisor: "root/sup" })).toBe(3);
  expect(await value("supervisor_restart_intensity", { supervisor: "root/sup" })).toBe(3);
  expect(await value("supervisor_escalations_total", { supervisor: "root/sup" })).toBe(0);
});

test("an escalation is counted for the supervisor that gave up", async () => {
  const { system, value } = await measured();
  await system.startChild(
    supervisor({ id: "sup", intensity: 0, children: [{ id: "m", name: "m", actor: fixture("meter") }] }),
  );
  const escalated = new Promise((resolve) => system.on("supervisor_escalated", resolve));
  await (system.whereis("m") as any).cast("crash");
  await escalated;
  expect(await value("supervisor_escalations_total", { supervisor: "root/sup" })).toBe(1);
});

test("open streams and their items are there", async () => {
  const { system, value } = await measured();
  const meter = await startMeter(system, { name: "m" });
  for await (const _ of meter.stream("items", 30));
  const open = meter.stream("items", Infinity);
  await open.next();
  await eventually(async () => (await value("actor_streams_open", { actor: "m" })) === 1);
  expect(await value("actor_stream_items_total", { actor: "m" })).toBeGreaterThan(30);
  await open.return?.();
  await eventually(async () => (await value("actor_streams_open", { actor: "m" })) === 0);
});

test("calls, dead letters and heap are there", async () => {
  const { system, value } = await measured();
  const meter = await startMeter(system, { name: "m", heapCapMb: 32 });
  await meter.call("quick");
  await meter.call("refuse").catch(() => {});
  await meter.send("no handler takes this");
  await meter.call("burn", 60);
  await eventually(() => system.stats().deadLetters === 1 && system.stats(meter).heapUsedMb > 0);
  expect(await value("actor_calls_total", { actor: "m", outcome: "reply" })).toBe(2);
  expect(await value("actor_calls_total", { actor: "m", outcome: "failure" })).toBe(1);
  expect(await value("dead_letters_total", { reason: "unhandled" })).toBe(1);
  expect(await value("actor_heap_cap_bytes", { actor: "m" })).toBe(32 * 1024 * 1024);
  expect(await value("actor_heap_used_bytes", { actor: "m" })).toBeGreaterThan(1024 * 1024);
  expect(await value("build_info")).toBe(1);
  expect(await value("actors")).toBe(1);
});

test("a name that the registry has already is a clear error, and nothing is left behind", async () => {
  const { system, registry } = await measured();
  expect(() => registerMetrics(system, { registry })).toThrow(/has a metric mini_otp_\S+ already.*another prefix/);
  const facts = { function: "registerMetrics", field: "prefix", value: "mini_otp_" };
  expect(() => registerMetrics(system, { registry })).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_OPTION", ...facts }),
  );
  registerMetrics(system, { registry, prefix: "other_" }).unregister();
  const own = new Registry();
  new Gauge({ name: "mini_otp_zombie_threads", help: "mine", registers: [own] });
  expect(() => registerMetrics(system, { registry: own })).toThrow("mini_otp_zombie_threads");
  expect(own.getMetricsAsArray()).toHaveLength(1);
});

test("unregister takes off what was registered, and only that", async () => {
  const { system, registry, unregister } = await measured();
  new Gauge({ name: "mine", help: "mine", registers: [registry] });
  unregister();
  unregister();
  expect(registry.getMetricsAsArray().map(({ name }: { name: string }) => name)).toEqual(["mine"]);
  registerMetrics(system, { registry }).unregister();
});

test("a prefix or cap that cannot be is refused, and so is an option that does not exist", async () => {
  const { system } = await measured();
  const registry = new Registry();
  expect(() => registerMetrics(system, { registry, prefix: "no spaces" })).toThrow(TypeError);
  expect(() => registerMetrics(system, { registry, maxActors: -1 })).toThrow(TypeError);
  expect(() => registerMetrics(system, { registry: {} as never })).toThrow("no registry of prom-client's");
  expect(() => registerMetrics(system, { prefx: "x_" } as never)).toThrow(
    "no option prefx; there are: registry, prefix",
  );
  await expect(startObserver(system, { prot: 80 } as never)).rejects.toThrow("no option prot; there are: host, port");
});

test("a stopped system can still be scraped", async () => {
  const { system, registry } = await measured();
  await startMeter(system, { name: "m" });
  await system.stop();
  const text = await registry.metrics();
  expect(text).not.toContain('actor="m"');
  expect(promtool(["check", "metrics"], text).code).toBe(0);
});

test("a name with quotes, line breaks and backslashes stays one label", async () => {
  const { system, registry } = await measured();
  await startMeter(system, { name: 'a"b\n\\c' });
  const text = await registry.metrics();
  expect(text).toContain('actor="a\\"b\\n\\\\c"');
  expect(promtool(["check", "metrics"], text)).toEqual({ code: 0, output: "" });
});

test("500 actors are scraped within 30 ms", async () => {
  const system = await testSystem();
  const START = 25;
  const refs = await Promise.all(
    Array.from({ length: START }, (_, i) => system.startChild<typeof Meter>({ id: `${i}`, actor: fixture("meter") })),
  );
  await Promise.all(refs.map((ref) => ref.call("quick")));
  // Each of them is read, threads and all, twenty times in each scrape, and shown as twenty actors.
  const many = () =>
    Array.from({ length: 500 / START }, (_, k) =>
      system.meters.actors().map((actor) => ({ ...actor, id: `${actor.id}-${k}`, name: `${actor.id}-${k}` })),
    ).flat();
  const crowd = new Proxy(system, {
    get(target, key) {
      const value: unknown = key === "meters" ? { ...target.meters, actors: many } : Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const { registry } = register(crowd);
  expect((await registry.metrics()).match(/^mini_otp_actor_mailbox_length\{/gm)).toHaveLength(101);
  let bestMs = Infinity;
  // The best of them: what the machine does besides is not the scrape's.
  for (let i = 0; i < 300 && bestMs >= 30; i++) {
    const before = performance.now();
    await registry.metrics();
    bestMs = Math.min(bestMs, performance.now() - before);
  }
  expect(bestMs).toBeLessThan(30);
});

test("a pool's tasks, queue and threads are there, under its path", async () => {
  const { system, scrape } = await measured();
  const filename = new URL("../pool/fixtures/work.js", import.meta.url);
  const ref = await system.startChild(pool({ id: "work", filename, minThreads: 1, maxThreads: 1, maxQueue: 7 }));
  await ref.run(21);
  await ref.run(1, { name: "nothing" }).catch(() => {});
  const tasks = (await scrape("pool_tasks_total")).map(({ labels, value }) => ({ ...labels, value }));
  expect(tasks).toEqual([
    { pool: "root/work", outcome: "completed", value: 1 },
    { pool: "root/work", outcome: "failed", value: 1 },
    { pool: "root/work", outcome: "aborted", value: 0 },
    { pool: "root/work", outcome: "rejected", value: 0 },
  ]);
  expect(await scrape("pool_queue_capacity")).toMatchObject([{ labels: { pool: "root/work" }, value: 7 }]);
  expect(await scrape("pool_run_seconds")).toMatchObject([
    { labels: { percentile: "50" } },
    { labels: { percentile: "99" } },
  ]);
});
