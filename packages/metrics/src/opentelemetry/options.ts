import { BOUNDS, type Fields, field, integer, required, takeOptions } from "@mini-otp/runtime/options";
import type { ClusterSource } from "../prometheus/metric.js";
import { aPrefix, aSource } from "../prometheus/options.js";

/** What is said of an instrument when it is made. */
export interface InstrumentOptions {
  readonly description: string;
  readonly unit: string;
}

/** What an observation is told to. */
export interface ObservationTarget<I> {
  observe(instrument: I, value: number, attributes: Record<string, string | number>): void;
}

/** The part of OpenTelemetry's `Meter` that is used: `metrics.getMeter("shop")` of `@opentelemetry/api` has it. */
export interface OpenTelemetryMeter<I = any> {
  createObservableGauge(name: string, options: InstrumentOptions): I;
  createObservableCounter(name: string, options: InstrumentOptions): I;
  addBatchObservableCallback(callback: (target: ObservationTarget<I>) => void, instruments: I[]): void;
  removeBatchObservableCallback(callback: (target: ObservationTarget<I>) => void, instruments: I[]): void;
}

/** What `observeMetrics` takes. */
export interface ObserveMetricsOptions {
  /** What `metrics.getMeter(name)` of `@opentelemetry/api` returns. */
  meter: OpenTelemetryMeter;
  /** In front of every name: letters, digits, "_" and ":". Default `"mini_otp_"`. */
  prefix?: string | undefined;
  /**
   * How many named actors have series of their own, 0 to 100 000. Later ones are shown together, with the attribute
   * `actor="__overflow__"`. The same holds for supervisors. Default 100.
   */
  maxActors?: number | undefined;
  /** `cluster.meters`, for the series of the cluster that the system is in. Default: none of them. */
  cluster?: ClusterSource | undefined;
}

const METHODS = [
  "createObservableGauge",
  "createObservableCounter",
  "addBatchObservableCallback",
  "removeBatchObservableCallback",
] as const;

export const aMeter = field("a meter of OpenTelemetry's: metrics.getMeter(name)", (value) =>
  METHODS.every((method) => typeof value?.[method] === "function"),
);

const FIELDS: Fields = {
  meter: required(aMeter),
  prefix: aPrefix,
  maxActors: integer(BOUNDS.series),
  cluster: aSource,
};

/** Throws ERR_INVALID_OPTION. */
export function takeObserveOptions(options: ObserveMetricsOptions): ObserveMetricsOptions {
  return takeOptions("observeMetrics", options, FIELDS);
}
