export type { CallOutcome } from "@mini-otp/worker-host/protocol/calls";
export {
  ActorError,
  type ActorErrorArguments,
  type ActorErrorBase,
  type ActorErrorCode,
  type ActorErrorConstructor,
  type ChildFacts,
  describeExit,
  type ExitKind,
  type ExitReason,
  type FactsArgument,
  type FactsByCode,
  isActorError,
  isCleanExit,
  isReplyError,
  type MethodFacts,
  type OptionFacts,
  type ProcessFacts,
  ReplyError,
  type SpecFacts,
  type StageFacts,
  type StartFacts,
} from "@mini-otp/worker-host/protocol/errors";
export { bucketStartMs, type HistogramReading, type RouteKey } from "@mini-otp/worker-host/protocol/memory";
export type {
  ActorRef,
  CastResult,
  ExposedActor,
  MemberResult,
  PoolRef,
  RefOptions,
  RouterRef,
  RunOptions,
} from "@mini-otp/worker-host/protocol/refs";
export type { GuardOptions } from "./guard/guard-options.js";
export type { LossCause } from "./introspection/actor-meter.js";
export type { TraceEvent, TraceOptions } from "./introspection/trace.js";
export type { TreeNode } from "./introspection/tree.js";
export type {
  DeadLetterCause,
  EventName,
  LogLine,
  StreamedEvent,
  SystemEvent,
  SystemEvents,
} from "./reporting/events.js";
export type { Logger } from "./reporting/logger.js";
export type { Down, Exit } from "./signals/process-signals.js";
export type { ActorStats } from "./stats/actor-stats.js";
export type { PoolStats, PoolTimes } from "./stats/pool-stats.js";
export type { RouterStats } from "./stats/router-stats.js";
export type { ChildInfo, RecentRestarts, SupervisorInfo } from "./supervision/administration.js";
export type { ChildStopReport } from "./supervision/child.js";
export {
  type ActorSpec,
  type ActorUrl,
  type ChildSpec,
  type DynamicSupervisorSpec,
  dynamicSupervisor,
  type MailboxOptions,
  type Permissions,
  type PoolSpec,
  pool,
  type ResourceContext,
  type ResourceSpec,
  type RouterSpec,
  resource,
  router,
  type SupervisorSpec,
  supervisor,
} from "./supervision/child-spec.js";
export type { SupervisedPoolRef } from "./supervision/pool-ref.js";
export type { SupervisedRouterRef } from "./supervision/router-ref.js";
export type {
  DynamicSupervisorRef,
  SupervisorRef,
} from "./supervision/supervisor-ref.js";
export { ActorSystem, startSystem } from "./system/actor-system.js";
export { handleSignals, type SignalOptions } from "./system/handle-signals.js";
export type { ActorIdentity, ActorMeters, Meters, PoolMeters, SupervisorMeters } from "./system/meters.js";
export type { StopOptions, StopReport, SystemOptions, SystemStats, UpgradeOptions } from "./system/system-options.js";
export { comlinkActor } from "./threads/comlink-actor.js";
