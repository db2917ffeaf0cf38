import { BOUNDS, type Fields, field, integer, isRecord, takeOptions } from "@mini-otp/runtime/options";
import type { Registry } from "prom-client";
import type { ClusterSource } from "./metric.js";

/** What `registerMetrics` takes. */
export interface MetricsOptions {
  /** Default: prom-client's own global registry. */
  registry?: Registry | undefined;
  /** In front of every name: letters, digits, "_" and ":". Default `"mini_otp_"`. */
  prefix?: string | undefined;
  /**
   * How many named actors have series of their own, 0 to 100 000. Later ones are shown together, with the label
   * `actor="__overflow__"`. The same holds for supervisors. Default 100.
   */
  maxActors?: number | undefined;
  /** `cluster.meters`, for the series of the cluster that the system is in. Default: none of them. */
  cluster?: ClusterSource | undefined;
}

/** The methods of a registry that are called. */
const METHODS = ["registerMetric", "getSingleMetric", "removeSingleMetric", "metrics"] as const;

export const aRegistry = field("a registry; this is no registry of prom-client's", (value) =>
  METHODS.every((method) => typeof value?.[method] === "function"),
);
export const aPrefix = field(
  'a text that a metric\'s name may begin with: letters, digits, "_" and ":", no digit first, at most 100',
  (value) => typeof value === "string" && /^(?:[a-zA-Z_:][a-zA-Z0-9_:]{0,99})?$/.test(value),
);

export const aSource = field(
  "the meters of a cluster: cluster.meters",
  (value) => isRecord(value) && typeof value.read === "function",
);

const FIELDS: Fields = { registry: aRegistry, prefix: aPrefix, maxActors: integer(BOUNDS.series), cluster: aSource };

/** Throws ERR_INVALID_OPTION. */
export function takeMetricsOptions(options: MetricsOptions): MetricsOptions {
  return takeOptions("registerMetrics", options, FIELDS);
}
