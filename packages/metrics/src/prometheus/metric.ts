import type {
  ActorMeters,
  HistogramReading,
  Meters,
  PoolMeters,
  SupervisorMeters,
  SystemHealth,
  SystemStats,
} from "@mini-otp/runtime";
import { field, isRecord, isText, takeArgument } from "@mini-otp/runtime/options";

/** One number, or one for each value of the metric's own label, or a histogram of durations in ms. */
export type MetricValue = number | Readonly<Record<string, number>> | HistogramReading;

/** An actor as a scrape sees it. */
export interface ActorView {
  readonly meters: ActorMeters;
  /** The share of the time since the last scrape in which its event loop was busy. */
  readonly utilization: number;
}

/** The counters that are made from the system's events since the metrics were registered, by reason. */
export type CountedEvent = "restarts" | "exits" | "guardKills";

/** What every metric says of itself. */
export interface MetricDescription {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  readonly unit:
    | "messages"
    | "bytes"
    | "seconds"
    | "ratio"
    | "calls"
    | "streams"
    | "items"
    | "lines"
    | "actors"
    | "tasks"
    | "threads"
    | "events"
    | "flag"
    | "nodes"
    | "names"
    | "frames"
    | "records"
    | "shards"
    | "info";
  readonly type: "gauge" | "counter" | "histogram";
  /** The label that tells its values apart, beside the labels of the actor, supervisor or pool. */
  readonly by?: string;
}

/** A metric of each actor, with the label `type`, and for a named actor the label `actor`. */
export interface ActorMetric extends MetricDescription {
  readonly of: "actor";
  /** How the values of the actors in one series are combined. */
  readonly together: "sum" | "max";
  read(actor: ActorView): MetricValue;
}

/** A metric with the same labels that is counted from events. */
export interface EventMetric extends MetricDescription {
  readonly of: "event";
  readonly type: "counter";
  readonly by: "reason";
  readonly counts: CountedEvent;
}

/** A metric of each supervisor, with the label `supervisor`. */
export interface SupervisorMetric extends MetricDescription {
  readonly of: "supervisor";
  /** Undefined when there is no value for this supervisor. */
  read(supervisor: SupervisorView): number | Readonly<Record<string, number>> | undefined;
}

/** A supervisor as a scrape sees it. */
export interface SupervisorView {
  readonly id: string;
  /** Undefined once the supervisor is gone. */
  readonly restarts: SupervisorMeters["restarts"] | undefined;
  readonly light?: SupervisorMeters["light"];
  readonly escalations: number;
}

/** A metric of each pool, with the label `pool`. */
export interface PoolMetric extends MetricDescription {
  readonly of: "pool";
  read(pool: PoolMeters["stats"]): MetricValue;
}

/** A metric of the whole system. */
export interface SystemMetric extends MetricDescription {
  readonly of: "system";
  read(system: SystemView): number | Readonly<Record<string, number>>;
}

/** A system as a scrape sees it. */
export interface SystemView {
  readonly stats: SystemStats;
  readonly deadLetters: ReturnType<Meters["deadLetters"]>;
  readonly health: SystemHealth;
}

/** A metric of a node's part of a cluster. */
export interface ClusterMetric extends MetricDescription {
  readonly of: "cluster";
  /** Undefined when there is no value here. */
  read(cluster: ClusterView): MetricValue | undefined;
}

/** A metric of the link to another node, with the label `node`. */
export interface LinkMetric extends MetricDescription {
  readonly of: "link";
  /** Undefined when there is no value for this link. */
  read(link: LinkView): number | Readonly<Record<string, number>> | undefined;
}

/** What the metrics of a cluster are read from: `cluster.meters`. */
export interface ClusterSource {
  read(): ClusterView;
}

/** A node's part of a cluster as a scrape sees it. */
export interface ClusterView {
  readonly nodes: Readonly<Record<string, number>>;
  readonly links: readonly LinkView[];
  readonly isConnected: boolean;
  readonly isLeaseHeld: boolean;
  readonly leaseAgeMs: number;
  readonly names: number;
  readonly gatewayLagMs: number;
  readonly bucket: HistogramReading;
  readonly bucketFailures: number;
  readonly shards?: Readonly<Record<string, number>> | undefined;
}

/** The link to another node as a scrape sees it. */
export interface LinkView {
  readonly node: string;
  readonly rttMs: number | undefined;
  readonly frames: Readonly<Record<"in" | "out", number>>;
  readonly records: Readonly<Record<"in" | "out", number>>;
  readonly bytes: Readonly<Record<"in" | "out", number>>;
  readonly resent: number;
  readonly damaged: number;
  readonly windowFullMs: number;
  readonly proxies: number;
  readonly callsInDoubt: number;
}

/** A metric that is always 1, with the information in its labels. */
export interface InfoMetric extends MetricDescription {
  readonly of: "info";
}

/** One metric: what it is called and measured in, and how it is read. `of` says what of. */
export type Metric =
  | ActorMetric
  | EventMetric
  | SupervisorMetric
  | PoolMetric
  | SystemMetric
  | ClusterMetric
  | LinkMetric
  | InfoMetric;

/** `M` without the fields that the function of a table fills in. */
export type Without<M, K extends keyof M> = Omit<M, K | "of" | "type">;

const aMetric = field("one of METRICS", (metric) => isRecord(metric) && isText(metric.of));

/** The labels of a metric, in the order of the documentation. */
export function labelsOf(metric: Metric): string[] {
  takeArgument("labelsOf", "metric", metric, aMetric);
  const own = metric.by === undefined ? [] : [metric.by];
  switch (metric.of) {
    case "actor":
    case "event":
      return ["type", "actor", ...own];
    case "supervisor":
      return ["supervisor", ...own];
    case "pool":
      return ["pool", ...own];
    case "link":
      return ["node", ...own];
    case "info":
      return ["version", "node_version"];
    default:
      return own;
  }
}
