export { labelsOf, METRICS, type Metric } from "./metric-table.js";
export { type Observer, startObserver } from "./observer/observer.js";
export type { ObserverOptions } from "./observer/options.js";
export { type MetricsOptions, type RegisteredMetrics, registerMetrics } from "./prometheus.js";
