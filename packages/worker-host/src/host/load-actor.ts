import { type ActorDefinition, isActorDefinition } from "../actor/define-actor.js";
import { comlinkActor } from "../comlink/comlink-actor.js";
import { type ImportModule, loadFirst } from "../module/load-module.js";
import { ActorError } from "../protocol/errors/errors.js";
import { exposingModules } from "../protocol/port/boot.js";

/** The actor's definition in the first of these modules that exists. Throws ERR_ACTOR_MODULE. */
export async function loadActor(urls: readonly string[], importModule: ImportModule): Promise<ActorDefinition> {
  const exposing = exposingModules(urls[0]);
  if (exposing !== undefined) return comlinkActor(exposing, importModule);
  const { url, exports } = await loadFirst(urls, importModule);
  // Compilers turn `export default` in a CommonJS module into a default within a default.
  const nested = (exports.default as { default?: unknown } | null | undefined)?.default;
  for (const found of [exports.default, nested]) if (isActorDefinition(found)) return found;
  throw new ActorError(
    "ERR_ACTOR_MODULE",
    `${url} has no actor as its default export (export default defineActor({ … }))`,
  );
}
