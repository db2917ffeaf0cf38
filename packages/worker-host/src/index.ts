// The declarations name types of Node's, which TypeScript 6 and later leave out by default: options would be `any`.
/// <reference types="node" preserve="true" />
export type {
  ActorChildOptions,
  ActorChildSpec,
  ChildArgs,
  PoolChildSpec,
  RouterChildSpec,
} from "./actor/child-spec.js";
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
  type OptionsBesideHandlers,
  OTHERWISE,
  type StateOf,
} from "./actor/define-actor.js";
export type { Emitter, SpawnSpec } from "./actor/light-context.js";
export type { PublishedHandling } from "./loop/published-handling.js";
export type { PublishedCall } from "./protocol/calls/published-call.js";
export {
  ActorError,
  type ActorErrorArguments,
  type ActorErrorBase,
  type ActorErrorConstructor,
  type AnyActorError,
  type ErrorWithCode,
  type FactsArgument,
  type FactsOfOthers,
  isActorError,
  isReplyError,
  ReplyError,
} from "./protocol/errors/errors.js";
export type {
  ActorErrorCode,
  ChildFacts,
  FactName,
  FactsByCode,
  MailboxFacts,
  MethodFacts,
  ModuleFacts,
  NodeFacts,
  OptionFacts,
  ProcessFacts,
  SpecFacts,
  StageFacts,
  StartFacts,
} from "./protocol/errors/facts.js";
export type { ExitKind, ExitReason } from "./protocol/errors/reason-kinds.js";
export type { RouteKey } from "./protocol/memory/routing.js";
export type { ActorRef, RefOf, RunOptions } from "./protocol/refs/actor-ref.js";
export type { ActorStats } from "./protocol/refs/actor-stats.js";
export type {
  AnswersWithStream,
  CastResult,
  Cloneable,
  CloneableArgs,
  DeferredBrand,
  ExposedActor,
  MethodArgs,
  MethodName,
  MethodReply,
  Methods,
  NotAnActor,
  NotCloneable,
  Remote,
  RepliesOnce,
  StreamItem,
  StreamName,
  Transferable,
  Unstreamed,
  WithTypeof,
} from "./protocol/refs/actor-types.js";
export type { MapOptions } from "./protocol/refs/pool-map.js";
export type { ItemsOf, PoolRef, ResultOf, TaskOf } from "./protocol/refs/pool-ref.js";
export type { RefOptions } from "./protocol/refs/ref-options.js";
export type { MemberResult, RouterRef } from "./protocol/refs/router-ref.js";
