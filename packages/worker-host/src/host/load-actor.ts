import { type ActorDefinition, isActorDefinition } from "../actor/define-actor.js";
import { comlinkActor } from "../comlink/comlink-actor.js";
import { defaultOf, type ImportModule, loadFirst } from "../module/load-module.js";
import { ActorError } from "../protocol/errors/errors.js";
import { exposingModules } from "../protocol/port/boot.js";

/** The actor's definition in the first of these modules that exists. Throws ERR_ACTOR_MODULE. */
export async function loadActor(urls: readonly string[], importModule: ImportModule): Promise<ActorDefinition> {
  const exposing = exposingModules(urls[0]);
  if (exposing !== undefined) return comlinkActor(exposing, importModule);
  const loaded = await loadFirst(urls, importModule);
  const found = defaultOf(loaded, isActorDefinition);
  if (found !== undefined) return found;
  throw new ActorError(
    "ERR_ACTOR_MODULE",
    `${loaded.url} has no actor as its default export (export default defineActor({ … }))`,
  );
}
