import { createRequire } from "node:module";
import type { ActorSystem } from "@mini-otp/runtime";
import { requireSystem } from "@mini-otp/runtime/options";
import { type Metric as PromMetric, type Registry, register } from "prom-client";
import { ActorSeries } from "./actor-series.js";
import {
  type ClusterSource,
  type ClusterView,
  labelsOf,
  type Metric,
  type MetricValue,
  type SystemView,
} from "./metric.js";
import { METRICS } from "./metric-table.js";
import { addSamples, type Labels, type Sample } from "./metric-value.js";
import { type MetricsOptions, takeMetricsOptions } from "./options.js";
import { SupervisorSeries } from "./supervisor-series.js";

/** The metrics of a system on a registry. */
export interface RegisteredMetrics {
  readonly registry: Registry;
  /** Removes the metrics from the registry. Further calls do nothing. */
  unregister(): void;
  [Symbol.dispose](): void;
}

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/**
 * Registers collectors for a system on a prom-client registry. They read shared memory when they are scraped. They send
 * no message to an actor, so the values are right for an actor that hangs too. Main only; nothing blocks.
 *
 * Throws ERR_INVALID_OPTION, and an Error when the registry has a metric of one of the names: then none is registered.
 */
export function registerMetrics(system: ActorSystem, options: MetricsOptions = {}): RegisteredMetrics {
  requireSystem("registerMetrics", system);
  const given = takeMetricsOptions(options);
  const { registry = register, prefix = "mini_otp_", maxActors = 100, cluster } = given;
  const described = METRICS.filter(({ of }) => cluster !== undefined || (of !== "cluster" && of !== "link"));
  const taken = described.map(({ name }) => prefix + name).find((name) => registry.getSingleMetric(name) !== undefined);
  if (taken !== undefined) {
    throw new Error(
      `registerMetrics: the registry has a metric ${taken} already, from this system or another; give another prefix (prefix=${JSON.stringify(prefix)}) or registry`,
    );
  }
  const scrape = new Scrape(system, maxActors, cluster);
  const metrics = described.map((metric) => new PulledMetric(prefix + metric.name, metric, scrape));
  for (const metric of metrics) registry.registerMetric(metric as unknown as PromMetric);
  const unregister = (): void => {
    scrape.close();
    for (const { registered } of metrics) {
      const found = registry.getSingleMetric(registered) as unknown;
      if (found instanceof PulledMetric && metrics.includes(found)) registry.removeSingleMetric(registered);
    }
  };
  return { registry, unregister, [Symbol.dispose]: unregister };
}

/** A metric with the members that prom-client reads. */
class PulledMetric {
  /** Writable, because an OpenMetrics registry changes it to its own spelling. */
  name: string;
  readonly registered: string;
  readonly help: string;
  readonly type: Metric["type"];
  readonly labelNames: readonly string[];
  readonly aggregator = "sum";
  readonly #metric: Metric;
  readonly #scrape: Scrape;

  constructor(name: string, metric: Metric, scrape: Scrape) {
    this.name = this.registered = name;
    this.help = metric.help;
    this.type = metric.type;
    this.labelNames = labelsOf(metric);
    this.#metric = metric;
    this.#scrape = scrape;
  }

  /** Called for a text. The labels of a series stay one object. */
  async getForPromString() {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.#scrape.samples(this.#metric, name) };
  }

  async get() {
    const { values, ...rest } = await this.getForPromString();
    const whole = values.map(({ labels, sharedLabels, ...value }) => ({
      ...value,
      labels: { ...labels, ...sharedLabels },
    }));
    return { ...rest, values: whole };
  }

  /** Does nothing, because the numbers belong to the system. */
  reset(): void {}
}

interface Seen {
  readonly actors: ReturnType<ActorSeries["read"]>;
  readonly supervisors: ReturnType<SupervisorSeries["read"]>;
  readonly pools: ReturnType<ActorSystem["meters"]["pools"]>;
  readonly system: SystemView;
  readonly cluster: ClusterView | undefined;
}

/** Reads the system once for all metrics of a scrape. */
class Scrape {
  readonly #system: ActorSystem;
  readonly #actors: ActorSeries;
  readonly #supervisors: SupervisorSeries;
  readonly #cluster: ClusterSource | undefined;
  #seen: Seen | undefined;

  constructor(system: ActorSystem, maxActors: number, cluster: ClusterSource | undefined) {
    this.#system = system;
    this.#cluster = cluster;
    this.#actors = new ActorSeries(system, maxActors);
    this.#supervisors = new SupervisorSeries(system, maxActors);
  }

  close(): void {
    this.#actors.close();
    this.#supervisors.close();
  }

  samples(metric: Metric, name: string): Sample[] {
    const { actors, supervisors, pools, system, cluster } = this.#look();
    const samples: Sample[] = [];
    const add = (labels: Labels, value: MetricValue, by?: string): void => addSamples(samples, name, labels, value, by);
    switch (metric.of) {
      case "actor":
        for (const [{ labels }, value] of actors.get(metric.name) ?? []) add(labels, value, metric.by);
        break;
      case "event":
        for (const [{ labels }, value] of this.#actors.events(metric)) add(labels, value, metric.by);
        break;
      case "supervisor":
        for (const supervisor of supervisors) {
          const value = metric.read(supervisor);
          if (value !== undefined) add({ supervisor: supervisor.id }, value);
        }
        break;
      case "pool":
        for (const { id, stats } of pools) add({ pool: id }, metric.read(stats), metric.by);
        break;
      case "system":
        add({}, metric.read(system), metric.by);
        break;
      case "cluster": {
        const value = cluster === undefined ? undefined : metric.read(cluster);
        if (value !== undefined) add({}, value, metric.by);
        break;
      }
      case "link":
        for (const link of cluster?.links ?? []) {
          const value = metric.read(link);
          if (value !== undefined) add({ node: link.node }, value, metric.by);
        }
        break;
      case "info":
        add({ version, node_version: process.version }, 1);
        break;
    }
    return samples;
  }

  /** Kept for one turn, because a registry asks all its metrics in one turn. */
  #look(): Seen {
    if (this.#seen === undefined) {
      this.#seen = {
        actors: this.#actors.read(),
        supervisors: this.#supervisors.read(),
        pools: this.#system.meters.pools(),
        system: {
          stats: this.#system.stats(),
          deadLetters: this.#system.meters.deadLetters(),
          health: this.#system.health(),
        },
        cluster: this.#cluster?.read(),
      };
      queueMicrotask(() => {
        this.#seen = undefined;
      });
    }
    return this.#seen;
  }
}
