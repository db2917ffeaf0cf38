import type { ActorRef, ActorSystem, ResourceContext } from "@mini-otp/runtime";
import { systemOf } from "@mini-otp/runtime/guests";
import { ActorError, type ExitReason, invalidOption } from "@mini-otp/worker-host/protocol/errors";
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
/** The names of the clusters that systems join or are in. */
const names = new WeakMap<ActorSystem, string>();

/** From now on until `clusterLeft` the system joins no other. Throws ERR_INVALID_OPTION where it is in one already. */
export function clusterJoins(system: ActorSystem, name: string): void {
  if (names.has(system) || clusters.has(system)) {
    const allowed = "one that is in no cluster, or has left its cluster";
    const there = `a system that is in the cluster ${names.get(system) ?? "of a test"}`;
    const facts = { function: "joinCluster", field: "system", value: system, allowed };
    throw invalidOption(`joinCluster: system=${there}, must be ${allowed}`, facts);
  }
  names.set(system, name);
}

export function clusterJoined(system: ActorSystem, cluster: SpecCluster): void {
  clusters.set(system, cluster);
}

export function clusterLeft(system: ActorSystem): void {
  clusters.delete(system);
  names.delete(system);
}
