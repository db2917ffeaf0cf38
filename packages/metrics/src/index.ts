export { type Observer, startObserver } from "./observer/observer.js";
export type { ObserverOptions } from "./observer/options.js";
export { labelsOf, type Metric } from "./prometheus/metric.js";
export { METRICS } from "./prometheus/metric-table.js";
export type { MetricsOptions } from "./prometheus/options.js";
export { type RegisteredMetrics, registerMetrics } from "./prometheus/prometheus.js";
