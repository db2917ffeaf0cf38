import type { ActorRef } from "@mini-otp/runtime";
import { Counter, Gauge, type Registry } from "prom-client";
import type { HubOf } from "./gateway.js";
import type TopicsActor from "./topics.actor.js";

/** The broker's own series, beside those of its actors. A partition that is restarting counts from 0 again. */
export function registerCounts(
  registry: Registry,
  partitions: readonly HubOf[],
  topics: readonly ActorRef<typeof TopicsActor>[],
): void {
  let reading: Promise<void> | undefined;
  const collect = (): Promise<void> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  // The registry reads all of them at once: the first to be read asks the partitions, and the others wait for it.
  const of = { registers: [registry], labelNames: ["partition"], collect };
  const gauge = (name: string, help: string) => new Gauge({ name: `emqx_go_${name}`, help, ...of });
  const counter = (name: string, help: string) => new Counter({ name: `emqx_go_${name}`, help, ...of });
  const series = {
    received: counter("messages_received_total", "Messages that clients have published"),
    sent: counter("messages_sent_total", "Messages that were written to clients"),
    dropped: counter("messages_dropped_total", "Messages that a client did not take in time"),
    malformed: counter("packets_malformed_total", "Connections that ended by a malformed packet"),
    connections: gauge("connections", "Connections that are open"),
    parked: gauge("sessions_parked", "Sessions whose clients are away"),
  };
  const read = async (): Promise<void> => {
    await Promise.allSettled(
      partitions.map(async (hubOf, index) => {
        const counts = await hubOf()?.with({ timeoutMs: 1_000 }).call("counts");
        if (counts === undefined) return;
        const partition = String(index);
        for (const name of ["received", "sent", "dropped", "malformed"] as const) {
          series[name].remove({ partition });
          series[name].inc({ partition }, counts[name]);
        }
        series.parked.set({ partition }, counts.parked);
        series.connections.set({ partition }, counts.connections);
      }),
    );
  };
  const subscriptions = new Gauge({
    name: "emqx_go_subscriptions",
    help: "Subscriptions of all clients",
    registers: [registry],
    async collect() {
      const counts = await Promise.allSettled(topics.map((ref) => ref.with({ timeoutMs: 1_000 }).call("counts")));
      subscriptions.set(
        counts.reduce((sum, one) => sum + (one.status === "fulfilled" ? one.value.subscriptions : 0), 0),
      );
    },
  });
}
