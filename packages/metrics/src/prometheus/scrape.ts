import { createRequire } from "node:module";
import type { ActorSystem } from "@mini-otp/runtime";
import { ActorSeries } from "./actor-series.js";
import type { ClusterSource, ClusterView, Metric, MetricValue, SystemView } from "./metric.js";
import { METRICS } from "./metric-table.js";
import { addSamples, type Labels, type Sample } from "./metric-value.js";
import { SupervisorSeries } from "./supervisor-series.js";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

interface Seen {
  readonly actors: ReturnType<ActorSeries["read"]>;
  readonly supervisors: ReturnType<SupervisorSeries["read"]>;
  readonly pools: ReturnType<ActorSystem["meters"]["pools"]>;
  readonly system: SystemView;
  readonly cluster: ClusterView | undefined;
}

/** The series of a system: those of a cluster are among them if it is in one. */
export function metricsOf(cluster: ClusterSource | undefined): Metric[] {
  return METRICS.filter(({ of }) => cluster !== undefined || (of !== "cluster" && of !== "link"));
}

/** Reads the system once for all metrics of a scrape: of a registry, or of a collection by OpenTelemetry. */
export class Scrape {
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
          if (value !== undefined) add({ supervisor: supervisor.id }, value, metric.by);
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
