import { ACTOR_METRICS } from "./actor-metrics.js";
import { CLUSTER_METRICS } from "./cluster-metrics.js";
import type { Metric } from "./metric.js";
import { POOL_METRICS } from "./pool-metrics.js";
import { SUPERVISOR_METRICS } from "./supervisor-metrics.js";
import { SYSTEM_METRICS } from "./system-metrics.js";

/** All metrics. `docs/observability.md` shows this table, and a test compares the two. */
export const METRICS: readonly Metric[] = [
  ...ACTOR_METRICS,
  ...SUPERVISOR_METRICS,
  ...POOL_METRICS,
  ...SYSTEM_METRICS,
  ...CLUSTER_METRICS,
];
