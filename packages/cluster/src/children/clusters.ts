import type { ActorRef, ActorSystem, ResourceContext } from "@mini-otp/runtime";
import { systemOf } from "@mini-otp/runtime/guests";
import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { RemoteSpec } from "./remote-spec.js";
import type { SingletonSpec } from "./singleton-spec.js";
import type { Started } from "./start-on.js";

/** What a child spec needs of the cluster that its system is in. */
export interface SpecCluster {
  contend(spec: SingletonSpec, context: ResourceContext): { stop(reason: ExitReason): Promise<void> };
  singleton<A = any>(id: string): ActorRef<A>;
  startOn(spec: RemoteSpec, context: ResourceContext): Promise<Started>;
}

/** The cluster of the system in which a resource is started. Throws ERR_INVALID_CHILD_SPEC where it is in none. */
export function clusterHere(what: string, spec: SingletonSpec | RemoteSpec, context: ResourceContext): SpecCluster {
  const system = systemOf(context);
  const cluster = system === undefined ? undefined : clusters.get(system);
  if (cluster !== undefined) return cluster;
  const { id } = spec;
  const allowed = "a child of a system that has joined a cluster";
  const message = `id=${id}: ${what} must be ${allowed}; joinCluster comes before the child`;
  throw new ActorError("ERR_INVALID_CHILD_SPEC", message, { id, field: "", value: spec, allowed });
}

const clusters = new WeakMap<ActorSystem, SpecCluster>();

export function clusterJoined(system: ActorSystem, cluster: SpecCluster): void {
  clusters.set(system, cluster);
}
