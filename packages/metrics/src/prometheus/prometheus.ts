import type { ActorSystem } from "@mini-otp/runtime";
import { invalidOption, requireSystem } from "@mini-otp/runtime/options";
import { type Metric as PromMetric, type Registry, register } from "prom-client";
import { callsOf } from "./given-methods.js";
import { labelsOf, type Metric } from "./metric.js";
import { aRegistry, type MetricsOptions, takeMetricsOptions } from "./options.js";
import { metricsOf, Scrape } from "./scrape.js";

/** The metrics of a system on a registry. */
export interface RegisteredMetrics {
  readonly registry: Registry;
  /** Removes the metrics from the registry. Further calls do nothing. */
  unregister(): void;
  [Symbol.dispose](): void;
}

/**
 * Registers collectors for a system on a prom-client registry. They read shared memory when they are scraped. They send
 * no message to an actor, so the values are right for an actor that hangs too. Main only; nothing blocks.
 *
 * Throws ERR_INVALID_OPTION, also when the registry has a metric of one of the names, or a method of it throws (`cause` is what
 * it threw): then none is registered.
 */
export function registerMetrics(system: ActorSystem, options: MetricsOptions = {}): RegisteredMetrics {
  requireSystem("registerMetrics", system);
  const given = takeMetricsOptions(options);
  const { registry = register, prefix = "mini_otp_", maxActors = 100, cluster } = given;
  const call = callsOf("registerMetrics", "registry", registry, aRegistry.allowed);
  const present = (name: string): unknown => call("getSingleMetric", () => registry.getSingleMetric(name));
  const described = metricsOf(cluster);
  const taken = described.map(({ name }) => prefix + name).find((name) => present(name) !== undefined);
  if (taken !== undefined) {
    const allowed = `a prefix whose names the registry does not have (it has ${taken} already, from this system or another), or another registry`;
    const message = `registerMetrics: the registry has a metric ${taken} already, from this system or another; give another prefix (prefix=${JSON.stringify(prefix)}) or registry`;
    throw invalidOption(message, { function: "registerMetrics", field: "prefix", value: prefix, allowed });
  }
  const scrape = new Scrape(system, maxActors, cluster);
  const metrics = described.map((metric) => new PulledMetric(prefix + metric.name, metric, scrape));
  const unregister = (): void => {
    scrape.close();
    for (const { registered } of metrics) {
      const found = present(registered);
      if (!(found instanceof PulledMetric && metrics.includes(found))) continue;
      call("removeSingleMetric", () => registry.removeSingleMetric(registered));
    }
  };
  try {
    for (const metric of metrics) {
      call("registerMetric", () => registry.registerMetric(metric as unknown as PromMetric));
    }
  } catch (error) {
    try {
      unregister();
    } catch {
      // What it cannot take out it keeps.
    }
    throw error;
  }
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
