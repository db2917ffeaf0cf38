// The declarations name types of Node's, which TypeScript 6 and later leave out by default: options would be `any`.
/// <reference types="node" preserve="true" />

export type { NodesSource } from "./observer/nodes.js";
export { type Observer, type ObserverHandler, observerHandler, startObserver } from "./observer/observer.js";
export type { ObserverHandlerOptions, ObserverOptions } from "./observer/options.js";
export { type ObservedMetrics, observeMetrics } from "./opentelemetry/observe-metrics.js";
export type {
  InstrumentOptions,
  ObservationTarget,
  ObserveMetricsOptions,
  OpenTelemetryMeter,
} from "./opentelemetry/options.js";
export {
  type ActorMetric,
  type ActorView,
  type ClusterMetric,
  type ClusterSource,
  type ClusterView,
  type CountedEvent,
  type EventMetric,
  type InfoMetric,
  type LinkMetric,
  type LinkView,
  labelsOf,
  type Metric,
  type MetricDescription,
  type MetricValue,
  type PoolMetric,
  type SupervisorMetric,
  type SupervisorView,
  type SystemMetric,
  type SystemView,
} from "./prometheus/metric.js";
export { METRICS } from "./prometheus/metric-table.js";
export type { MetricsOptions } from "./prometheus/options.js";
export { type RegisteredMetrics, registerMetrics } from "./prometheus/prometheus.js";
export type { NodeRow } from "./ui/wire.js";
