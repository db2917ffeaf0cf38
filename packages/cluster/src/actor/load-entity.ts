import { ActorError } from "@mini-otp/worker-host";
import { defaultOf, loadFirst } from "@mini-otp/worker-host/module";
import { type EntityDefinition, isEntityDefinition } from "./define-entity.js";

/** The entity's definition in the first of these modules that exists, as an actor's is found. Throws ERR_ACTOR_MODULE. */
export async function loadEntity(urls: readonly string[]): Promise<EntityDefinition> {
  const loaded = await loadFirst(urls, (specifier) => import(specifier));
  const found = defaultOf(loaded, isEntityDefinition);
  if (found !== undefined) return found;
  const message = `${loaded.url} has no entity as its default export (export default defineEntity({ … }))`;
  throw new ActorError("ERR_ACTOR_MODULE", message, {});
}
