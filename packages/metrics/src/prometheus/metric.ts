import type {
  ActorMeters,
  HistogramReading,
  Meters,
  PoolMeters,
  SupervisorMeters,
  SystemStats,
} from "@mini-otp/runtime";
import { field, isRecord, isText, takeArgument } from "@mini-otp/runtime/options";

/** One value, or one for each value of the metric's own label, or a histogram of durations in ms. */
export type MetricValue = number | Readonly<Record<string, number>> | HistogramReading;

/** An actor as a scrape sees it. */
export interface ActorView {
  readonly meters: ActorMeters;
  /** Share of the time since the scrape before in which its event loop was busy. */
  readonly utilization: number;
}

/** What is counted from the system's events, since the metrics were registered, by reason. */
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
    | "lines"
    | "actors"
    | "tasks"
    | "threads"
    | "events"
    | "info";
  readonly type: "gauge" | "counter" | "histogram";
  /** The label that tells its values apart, beside those of whom they are. */
  readonly by?: string;
}

/** Of each actor, with the labels `type` and, of a named one, `actor`. */
export interface ActorMetric extends MetricDescription {
  readonly of: "actor";
  /** What the actors in one series come to together. */
  readonly together: "sum" | "max";
  read(actor: ActorView): MetricValue;
}

/** The same labels, counted from events. */
export interface EventMetric extends MetricDescription {
  readonly of: "event";
  readonly type: "counter";
  readonly by: "reason";
  readonly counts: CountedEvent;
}

/** Of each supervisor, with the label `supervisor`. */
export interface SupervisorMetric extends MetricDescription {
  readonly of: "supervisor";
  /** Undefined: nothing to show of it. */
  read(supervisor: SupervisorView): number | undefined;
}

/** A supervisor as a scrape sees it. */
export interface SupervisorView {
  readonly id: string;
  /** Undefined once it is gone. */
  readonly restarts: SupervisorMeters["restarts"] | undefined;
  readonly escalations: number;
}

/** Of each pool, with the label `pool`. */
export interface PoolMetric extends MetricDescription {
  readonly of: "pool";
  read(pool: PoolMeters["stats"]): MetricValue;
}

/** Of the whole system. */
export interface SystemMetric extends MetricDescription {
  readonly of: "system";
  read(system: SystemView): number | Readonly<Record<string, number>>;
}

/** A system as a scrape sees it. */
export interface SystemView {
  readonly stats: SystemStats;
  readonly deadLetters: ReturnType<Meters["deadLetters"]>;
}

/** Always 1; what it says is in its labels. */
export interface InfoMetric extends MetricDescription {
  readonly of: "info";
}

/** One metric: what it is called and measured in, and how it is read. `of` says what of. */
export type Metric = ActorMetric | EventMetric | SupervisorMetric | PoolMetric | SystemMetric | InfoMetric;

/** What a table's own way of writing it down fills in. */
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
      return ["supervisor"];
    case "pool":
      return ["pool", ...own];
    case "info":
      return ["version", "node_version"];
    default:
      return own;
  }
}
