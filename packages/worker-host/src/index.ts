export type { ActorContext, ActorLog, ActorLogOptions, DeferredReply } from "./actor/context.js";
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
} from "./actor/define-actor.js";
export {
  ActorError,
  type ActorErrorArguments,
  type ActorErrorBase,
  type ActorErrorConstructor,
  type FactsArgument,
  isActorError,
  isReplyError,
  ReplyError,
} from "./protocol/errors/errors.js";
export type {
  ActorErrorCode,
  ChildFacts,
  FactsByCode,
  MethodFacts,
  OptionFacts,
  ProcessFacts,
  SpecFacts,
  StageFacts,
  StartFacts,
} from "./protocol/errors/facts.js";
export type { ExitKind, ExitReason } from "./protocol/errors/reason-kinds.js";
export type { RouteKey } from "./protocol/memory/routing.js";
export type { ActorRef, RunOptions } from "./protocol/refs/actor-ref.js";
export type { CastResult } from "./protocol/refs/actor-types.js";
export type { PoolRef } from "./protocol/refs/pool-ref.js";
export type { RefOptions } from "./protocol/refs/ref-options.js";
export type { MemberResult, RouterRef } from "./protocol/refs/router-ref.js";
