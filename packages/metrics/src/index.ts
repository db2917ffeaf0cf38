export { type Observer, startObserver } from "./observer/observer.js";
export type { ObserverOptions } from "./observer/options.js";
export { registerMetrics } from "./prometheus.js";
