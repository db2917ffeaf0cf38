import { type ActorRef, type ResourceContext, type ResourceSpec, resource } from "@mini-otp/runtime";
import { systemOf } from "@mini-otp/runtime/guests";
import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { clusterOf } from "./clusters.js";
import type { SingletonSpec } from "./spec.js";

/**
 * The spec of an actor of which one runs in the cluster. Every node that may run it declares it; the first to come runs it,
 * and it moves when that node leaves or is lost, never because one joins. Its reference is `cluster.singleton(id)`.
 */
export function singleton<A = any>(spec: SingletonSpec<A>): ResourceSpec<ActorRef<A>> {
  const { id, restart, shutdown, backoff } = spec;
  let contender: { stop(reason: ExitReason): Promise<void> } | undefined;
  return resource<ActorRef<A>>({
    id,
    ...(restart === undefined ? {} : { restart }),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(backoff === undefined ? {} : { backoff }),
    start: (context) => {
      const cluster = clusterHere(spec, context);
      contender = cluster.contend(spec, context);
      return cluster.singleton<A>(id);
    },
    stop: (_ref, reason) => contender?.stop(reason),
  });
}

function clusterHere(spec: SingletonSpec, context: ResourceContext) {
  const system = systemOf(context);
  const cluster = system === undefined ? undefined : clusterOf(system);
  if (cluster !== undefined) return cluster;
  const { id } = spec;
  const allowed = "in a system that has joined a cluster";
  const message = `id=${id}: a singleton must be ${allowed}; joinCluster comes before the child`;
  throw new ActorError("ERR_INVALID_CHILD_SPEC", message, { id, field: "", value: spec, allowed });
}
