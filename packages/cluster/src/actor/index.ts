/*
 * For the modules of singletons and entities, which run in threads of actors.
 */
export {
  defineEntity,
  type EntityContext,
  type EntityDefinition,
  type EntityOptions,
  type EntityStart,
} from "./define-entity.js";
export { type Fence, isHeld } from "./is-held.js";
