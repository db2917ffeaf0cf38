import { ActorRef } from "./actor-ref.js";
import { PoolRef } from "./pool-ref.js";

/** For what is done to actors, routers and pools by their references. Throws TypeError for what is no reference. */
export function checkedReference<R extends ActorRef | PoolRef>(ref: R, what: string): R {
  if (ref instanceof ActorRef || ref instanceof PoolRef) return ref;
  const given: unknown = ref;
  const isSupervisor = typeof (given as { whichChildren?: unknown } | null)?.whichChildren === "function";
  const shown = isSupervisor ? "a supervisor" : given === null ? "null" : typeof given;
  throw new TypeError(`${what}: takes a reference to an actor, a router or a pool, and was given ${shown}`);
}
