import type { ActorSystem } from "@mini-otp/runtime";
import { Gauge, Registry } from "prom-client";

/** Stands in until the metrics of this package are merged. */
export function registerMetrics(
  system: ActorSystem,
  { registry = new Registry(), prefix = "mini_otp_" }: { registry?: Registry; prefix?: string } = {},
): Registry {
  new Gauge({
    name: `${prefix}actors`,
    help: "Actors of the system.",
    registers: [registry],
    collect() {
      this.set(system.stats().actors);
    },
  });
  return registry;
}
