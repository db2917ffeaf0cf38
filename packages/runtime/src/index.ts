export {
  ActorError,
  type ActorErrorCode,
  type ActorRef,
  bucketStartMs,
  type CallOutcome,
  type CastResult,
  describeExit,
  type ExitKind,
  type ExitReason,
  type ExposedActor,
  type HistogramReading,
  isActorError,
  isCleanExit,
  isReplyError,
  type MemberResult,
  type PoolRef,
  type RefOptions,
  ReplyError,
  type RouteKey,
  type RouterRef,
  type RunOptions,
} from "@mini-otp/worker-host/protocol";
export { ActorSystem, startSystem } from "./actor-system.js";
export type { GuardOptions } from "./guard/guard-options.js";
export { handleSignals, type SignalOptions } from "./handle-signals.js";
export type { ActorStats } from "./introspection/actor-stats.js";
export type { LossCause } from "./introspection/actor-totals.js";
export type { ActorIdentity, ActorMeters, Meters, PoolMeters, SupervisorMeters } from "./introspection/meters.js";
export type { TraceEvent, TraceOptions } from "./introspection/trace.js";
export type { TreeNode } from "./introspection/tree.js";
export type { PoolStats, PoolTimes, SupervisedPoolRef } from "./pool/pool-ref.js";
export type {
  DeadLetterCause,
  EventName,
  LogLine,
  StreamedEvent,
  SystemEvent,
  SystemEvents,
} from "./reporting/events.js";
export type { Logger } from "./reporting/logger.js";
export type { SupervisedRouterRef } from "./router/router-ref.js";
export type { RouterStats } from "./router/router-stats.js";
export type { Down, Exit } from "./signals/process-signals.js";
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
export type {
  DynamicSupervisorRef,
  SupervisorRef,
} from "./supervision/supervisor-ref.js";
export type { StopOptions, StopReport, SystemOptions, SystemStats, UpgradeOptions } from "./system-options.js";
export { comlinkActor } from "./threads/comlink-actor.js";
