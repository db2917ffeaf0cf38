import { METRICS, observeMetrics, registerMetrics } from "@mini-otp/metrics";
import { pool, supervisor } from "@mini-otp/runtime";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import type Meter from "../fixtures/meter.actor.js";
import { eventually } from "../support/eventually.js";
import { parseExposition } from "../support/exposition.js";
import { fixture, testSystem } from "../support/system.js";

function sdk() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  /** Each series as it is collected now: its name and labels, and its value. */
  const collect = async () => {
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).toEqual([]);
    const metrics = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    const series = metrics.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => [key(descriptor.name, attributes), value as number] as const),
    );
    return { metrics, series: new Map(series) };
  };
  return { meter: provider.getMeter("test"), collect };
}

const key = (name: string, labels: object): string =>
  `${name} ${JSON.stringify(
    Object.entries(labels)
      .map(([label, value]) => [label, String(value)])
      .sort(),
  )}`;

/** The series whose values move by themselves between two readings. */
const MOVES = /seconds|utilization|heap|memory|off_heap|bytes/;

test("an SDK collects the same series as a Prometheus registry, with the same values", async () => {
  const system = await testSystem();
  const { meter, collect } = sdk();
  const registry = new Registry();
  const registered = registerMetrics(system, { registry });
  const observed = observeMetrics(system, { meter });
  onTestFinished(() => registered.unregister());
  const ref = await system.startChild<typeof Meter>({ id: "meter", name: "meter", actor: fixture("meter") });
  await system.startChild(supervisor({ id: "sup", children: [{ id: "a", actor: fixture("counter") }] }));
  await system.startChild(pool({ id: "pool", filename: fixture("counter"), minThreads: 1, maxThreads: 1 }));
  await ref.call("refuse").catch(() => {});
  await ref.call("crash").catch(() => {});
  await eventually(() => system.stats(ref).incarnation === 2 && system.stats().spares.ready === 1);
  await ref.call("burn", 1);
  // A message is in its mailbox until the next turn of the actor's loop.
  await eventually(() => system.stats(ref).mailbox.bytes === 0 && system.stats(ref).handling === null);

  const samples = parseExposition(await registry.metrics());
  const { series, metrics } = await collect();
  expect(samples.length).toBeGreaterThan(100);
  expect([...series.keys()].sort()).toEqual(samples.map(({ name, labels }) => key(name, labels)).sort());
  const still = samples.filter(({ name }) => !MOVES.test(name));
  expect(still.length).toBeGreaterThan(50);
  for (const { name, labels, value } of still)
    expect([name, labels, series.get(key(name, labels))]).toEqual([name, labels, value]);
  const named = new Map(metrics.map((metric) => [metric.descriptor.name, metric.descriptor]));
  expect(named.get("mini_otp_actor_mailbox_bytes")).toMatchObject({ unit: "By", type: "OBSERVABLE_GAUGE" });
  expect(named.get("mini_otp_actor_messages_received_total")).toMatchObject({
    unit: "{messages}",
    type: "OBSERVABLE_COUNTER",
    description: METRICS.find(({ name }) => name === "actor_messages_received_total")?.help,
  });

  observed.unregister();
  observed.unregister();
  await system.startChild({ id: "later", name: "later", actor: fixture("counter") });
  expect(await registry.metrics()).toContain('actor="later"');
  expect([...(await collect()).series.keys()].filter((name) => name.includes('"later"'))).toEqual([]);
});

test("the prefix and maxActors are those of the registry, and what is no meter is refused", async () => {
  const system = await testSystem();
  const { meter, collect } = sdk();
  for (const name of ["a", "b"]) await system.startChild({ id: name, name, actor: fixture("counter") });
  observeMetrics(system, { meter, prefix: "shop_", maxActors: 1 });
  const { series } = await collect();
  const lengths = [...series.keys()].filter((name) => name.startsWith("shop_actor_mailbox_length "));
  expect(lengths.map((name) => /"actor","(\w+)"/.exec(name)?.[1]).sort()).toEqual(["__overflow__", "a"]);
  for (const wrong of [undefined, {}, { getMeter() {} }]) {
    expect(() => observeMetrics(system, { meter: wrong as never })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_OPTION", field: "meter" }),
    );
  }
});

test("what a meter or a registry throws is ERR_INVALID_OPTION, and nothing stays registered", async () => {
  const system = await testSystem();
  const thrown = new Error("no more");
  const throws = (): never => {
    throw thrown;
  };
  const works = meterOf();
  for (const method of Object.keys(works)) {
    const meter = { ...works, [method]: throws };
    const observed = () => observeMetrics(system, { meter }).unregister();
    expect(observed, method).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_OPTION", field: "meter", cause: thrown, value: meter }),
    );
  }
  const registry = new Registry();
  const register = registry.registerMetric.bind(registry);
  let taken = 0;
  registry.registerMetric = (metric) => (++taken > 3 ? throws() : register(metric));
  expect(() => registerMetrics(system, { registry })).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_OPTION", field: "registry", cause: thrown }),
  );
  expect(registry.getMetricsAsArray()).toEqual([]);
  registry.registerMetric = register;
  registerMetrics(system, { registry }).unregister();
});

function meterOf() {
  const { meter } = sdk();
  return {
    createObservableGauge: meter.createObservableGauge.bind(meter),
    createObservableCounter: meter.createObservableCounter.bind(meter),
    addBatchObservableCallback: meter.addBatchObservableCallback.bind(meter),
    removeBatchObservableCallback: meter.removeBatchObservableCallback.bind(meter),
  };
}
