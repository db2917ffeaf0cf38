import { invalidOption } from "../errors/invalid-option.js";
import { ActorRef } from "./actor-ref.js";
import { PoolRef } from "./pool-ref.js";

/** For what is done to actors, routers and pools by their references. Throws ERR_INVALID_OPTION, a TypeError, for what is no reference. */
export function checkedReference<R extends ActorRef | PoolRef>(ref: R, what: string): R {
  if (isReference(ref)) return ref;
  const given: unknown = ref;
  const shown = isSupervisor(given) ? "a supervisor" : given === null ? "null" : typeof given;
  const allowed = "a reference to an actor, a router or a pool";
  const facts = { function: what, field: "ref", value: given, allowed };
  throw invalidOption(`${what}: takes ${allowed}, and was given ${shown}`, facts);
}

/** One that a Proxy or a prototype only pretends to be has no address. */
function isReference(value: unknown): boolean {
  try {
    const { uid } = value as { uid?: unknown };
    return (value instanceof ActorRef || value instanceof PoolRef) && typeof uid === "number";
  } catch {
    return false;
  }
}

function isSupervisor(value: unknown): boolean {
  try {
    return typeof (value as { whichChildren?: unknown } | null)?.whichChildren === "function";
  } catch {
    return false;
  }
}
