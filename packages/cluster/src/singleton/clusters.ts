import type { ActorRef, ActorSystem, ResourceContext } from "@mini-otp/runtime";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { SingletonSpec } from "./spec.js";

/** What a child spec needs of the cluster that its system is in. */
export interface SingletonCluster {
  contend(spec: SingletonSpec, context: ResourceContext): { stop(reason: ExitReason): Promise<void> };
  singleton<A = any>(id: string): ActorRef<A>;
}

const clusters = new WeakMap<ActorSystem, SingletonCluster>();

export function clusterOf(system: ActorSystem): SingletonCluster | undefined {
  return clusters.get(system);
}

export function clusterJoined(system: ActorSystem, cluster: SingletonCluster): void {
  clusters.set(system, cluster);
}
