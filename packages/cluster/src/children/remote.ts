import { type ActorRef, type ResourceSpec, resource } from "@mini-otp/runtime";
import { checkedRemote } from "./checked-specs.js";
import { clusterHere } from "./clusters.js";
import type { RemoteSpec } from "./remote-spec.js";
import type { Started } from "./start-on.js";

/**
 * The spec of a child that is supervised here and runs on another node, which offers it and lets this node start it. Its
 * reference is its actor's. It ends here with its actor, and with `noconnection` when its node is lost; its actor ends
 * there when this node is lost. A spec is a value: it may be started in several systems. Its start fails with ERR_INIT_FAILED,
 * whose `cause` is ERR_NO_CONNECTION, ERR_NOT_OFFERED, ERR_NOT_ALLOWED, ERR_INVALID_CHILD_SPEC in a system that is in no cluster,
 * or the error of the actor's start. Throws ERR_INVALID_CHILD_SPEC for a wrong `offer` or `on`.
 */
export function remote<A = any>(given: RemoteSpec): ResourceSpec<ActorRef<A>> {
  const spec = checkedRemote(given);
  const { offer: _offer, on: _on, args: _args, ...own } = spec;
  // A spec may be started in several systems of a process, and each start has an actor of its own.
  const started = new WeakMap<ActorRef, Started>();
  return resource<ActorRef<A>>({
    ...(own as Omit<ResourceSpec<ActorRef<A>>, "kind" | "start" | "stop">),
    start: async (context) => {
      const now = await clusterHere("remote", spec, context).startOn(spec, context);
      started.set(now.ref, now);
      return now.ref as ActorRef<A>;
    },
    stop: (ref) => started.get(ref)?.stop(),
  });
}
