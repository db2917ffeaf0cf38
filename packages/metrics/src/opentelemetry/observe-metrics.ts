import type { ActorSystem } from "@mini-otp/runtime";
import { requireSystem } from "@mini-otp/runtime/options";
import { callsOf } from "../prometheus/given-methods.js";
import type { Metric } from "../prometheus/metric.js";
import { metricsOf, Scrape } from "../prometheus/scrape.js";
import { aMeter, type ObservationTarget, type ObserveMetricsOptions, takeObserveOptions } from "./options.js";

/** The metrics of a system on a meter of OpenTelemetry's. */
export interface ObservedMetrics {
  /** Nothing is observed any more. Further calls do nothing. */
  unregister(): void;
  [Symbol.dispose](): void;
}

/** OpenTelemetry has no histogram that is observed: its series are counters, as Prometheus writes them. */
const OF_HISTOGRAM = ["_bucket", "_sum", "_count"];
/** Units as UCUM writes them; what is counted is in braces. @see https://ucum.org/ucum#section-Curly-Braces */
const UNITS: Readonly<Record<string, string>> = { bytes: "By", seconds: "s", ratio: "1", flag: "1", info: "1" };

/**
 * Observes a system by instruments of OpenTelemetry's: the same series as `registerMetrics`, with the same names, labels
 * (as attributes) and values. The system is read when the SDK collects. No message is sent to an actor, so the values are
 * right for an actor that hangs too. A histogram is three counters, `_bucket` with the attribute `le`, `_sum` and
 * `_count`. Main only; nothing blocks.
 *
 * Throws ERR_INVALID_OPTION, also when a method of the meter throws: then nothing is observed, and `cause` is what it threw.
 */
export function observeMetrics(system: ActorSystem, options: ObserveMetricsOptions): ObservedMetrics {
  requireSystem("observeMetrics", system);
  const { meter, prefix = "mini_otp_", maxActors = 100, cluster } = takeObserveOptions(options);
  const call = callsOf("observeMetrics", "meter", meter, aMeter.allowed);
  const described = metricsOf(cluster);
  const instruments = new Map<string, unknown>();
  for (const metric of described) {
    const options = { description: metric.help, unit: UNITS[metric.unit] ?? `{${metric.unit}}` };
    for (const name of namesOf(prefix, metric)) {
      const instrument =
        metric.type === "gauge"
          ? call("createObservableGauge", () => meter.createObservableGauge(name, options))
          : call("createObservableCounter", () =>
              meter.createObservableCounter(name, name.endsWith("_sum") ? options : unitOf(metric, options)),
            );
      instruments.set(name, instrument);
    }
  }
  const scrape = new Scrape(system, maxActors, cluster);
  const observe = (target: ObservationTarget<unknown>): void => {
    for (const metric of described) {
      const name = prefix + metric.name;
      for (const { metricName = name, labels, sharedLabels, value } of scrape.samples(metric, name)) {
        target.observe(instruments.get(metricName), value, { ...labels, ...sharedLabels });
      }
    }
  };
  const all = [...instruments.values()];
  try {
    call("addBatchObservableCallback", () => meter.addBatchObservableCallback(observe, all));
  } catch (error) {
    scrape.close();
    throw error;
  }
  const unregister = (): void => {
    scrape.close();
    call("removeBatchObservableCallback", () => meter.removeBatchObservableCallback(observe, all));
  };
  return { unregister, [Symbol.dispose]: unregister };
}

function namesOf(prefix: string, { name, type }: Metric): string[] {
  return type === "histogram" ? OF_HISTOGRAM.map((part) => prefix + name + part) : [prefix + name];
}

/** Of a histogram of durations, all counters but the sum count messages. */
function unitOf<O extends { readonly unit: string }>({ type }: Metric, options: O): O {
  return type === "histogram" ? { ...options, unit: "{observations}" } : options;
}
