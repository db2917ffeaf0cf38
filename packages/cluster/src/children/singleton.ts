import { type ActorRef, type ResourceSpec, resource } from "@mini-otp/runtime";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { checkedSingleton } from "./checked-specs.js";
import { clusterHere } from "./clusters.js";
import type { SingletonSpec } from "./singleton-spec.js";

/**
 * Makes the spec of an actor that runs on one node of the cluster at a time. Every node that may run it declares it. The first
 * of these nodes runs it. It moves when that node leaves or is lost, and never because a node joins. Its reference is
 * `cluster.singleton(id)`. A spec is a value: it may be started in several systems. Its start fails with ERR_INIT_FAILED, whose
 * `cause` is ERR_INVALID_CHILD_SPEC in a system that is in no cluster, and ERR_ALREADY_STARTED where this system has declared it.
 * Throws ERR_INVALID_CHILD_SPEC, ERR_NOT_CLONEABLE and ERR_ACTOR_MODULE, as `startChild` rejects for an actor.
 */
export function singleton<A = any>(given: SingletonSpec<A>): ResourceSpec<ActorRef<A>> {
  const spec = checkedSingleton(given);
  const { id, restart, shutdown, backoff } = spec;
  // A spec may be started in several systems of a process. Each has one reference, and one contender at a time.
  const contenders = new WeakMap<ActorRef, { stop(reason: ExitReason): Promise<void> }>();
  return resource<ActorRef<A>>({
    id,
    ...(restart === undefined ? {} : { restart }),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(backoff === undefined ? {} : { backoff }),
    start: (context) => {
      const cluster = clusterHere("singleton", spec, context);
      const ref = cluster.singleton<A>(id);
      contenders.set(ref, cluster.contend(spec, context));
      return ref;
    },
    stop: (ref, reason) => contenders.get(ref)?.stop(reason),
  });
}
