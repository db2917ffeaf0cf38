// A node as it is deployed: all that differs from one to the next is in its environment. See packages/cluster/deploy.
import { joinCluster, singleton } from "@mini-otp/cluster";
import { registerMetrics, startObserver } from "@mini-otp/metrics";
import { handleSignals, startSystem } from "@mini-otp/runtime";
import { Registry } from "prom-client";
import { report } from "../command-line.js";
import { serviceOptions } from "./environment.js";

/** Less than the grace periods of the deployment files. */
export const STOP_TIMEOUT_MS = 20_000;

try {
  const { nats, port } = serviceOptions(process.env);
  const system = await startSystem({ name: nats.node });
  handleSignals(system, { timeoutMs: STOP_TIMEOUT_MS });
  const cluster = await joinCluster(system, nats);
  const counter = new URL("./counter.actor.js", import.meta.url);
  await system.startChild(singleton({ id: "counter", actor: counter, args: { node: nats.node } }));
  const registry = new Registry();
  registerMetrics(system, { registry, cluster: cluster.meters });
  // Probes come from outside of the container. It listens once the node has joined.
  const { url } = await startObserver(system, { port, host: "0.0.0.0", registry });
  console.log(`node ${nats.node} has joined ${nats.cluster}; ${url}`);
} catch (error) {
  process.exit(report("cluster-service", error));
}
