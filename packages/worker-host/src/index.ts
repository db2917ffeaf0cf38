export type { ActorContext, ActorLog, ActorLogOptions, DeferredReply } from "./context.js";
export {
  type ActorDefinition,
  type ActorOptions,
  defineActor,
  type HandlersOf,
  type Ignore,
  ignore,
  isActorDefinition,
  isIgnore,
  OTHERWISE,
} from "./define-actor.js";
export type { ActorRef, RunOptions } from "./protocol/actor-ref.js";
export type { CastResult } from "./protocol/actor-types.js";
export { ActorError, type ActorErrorCode, isActorError, isReplyError, ReplyError } from "./protocol/errors.js";
export type { ExitKind, ExitReason } from "./protocol/exit-reason.js";
export type { PoolRef } from "./protocol/pool-ref.js";
export type { RefOptions } from "./protocol/ref-options.js";
export type { MemberResult, RouterRef } from "./protocol/router-ref.js";
export type { RouteKey } from "./protocol/routing.js";
