import { takeArgument } from "@mini-otp/worker-host/protocol/options";
import { comlinkActorUrl, exposingModules } from "@mini-otp/worker-host/protocol/port";
import type { ExposedActor } from "@mini-otp/worker-host/protocol/refs";
import type { ActorUrl } from "../supervision/child-spec.js";
import { aModule } from "../supervision/module-url.js";
import { moduleCandidates } from "./actor-module.js";

/**
 * The `actor` of a spec for a module that exposes a `T`, an object, a class or a function, with `Comlink.expose`.
 * `ref.proxy()` is its remote, and `ref.call` calls its methods. It handles one message at a time, as every actor does.
 * A method that throws rejects the call, and the object lives on, as with comlink. Anything else that ends a thread ends
 * the actor, and its supervisor loads the module again. Throws ERR_INVALID_OPTION, ERR_ACTOR_MODULE.
 */
export function comlinkActor<T = any>(module: URL | string): ActorUrl<ExposedActor<T>> {
  return comlinkActorUrl(moduleCandidates(takeArgument("comlinkActor", "module", module, aModule)));
}

/** The URLs of all modules that an actor's URL names. */
export function modulesWithin(url: string): string[] {
  return [url, ...(exposingModules(url) ?? [])];
}
