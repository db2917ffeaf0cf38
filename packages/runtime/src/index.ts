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
export type { ActorStats } from "./actor-stats.js";
export { ActorSystem, startSystem } from "./actor-system.js";
export type { LossCause } from "./actor-totals.js";
export { comlinkActor } from "./comlink-actor.js";
export type { DeadLetterCause, EventName, LogLine, SystemEvent, SystemEvents } from "./events.js";
export type { GuardOptions } from "./guard/guard-options.js";
export { handleSignals, type SignalOptions } from "./handle-signals.js";
export type { Logger } from "./logger.js";
export type { ActorIdentity, ActorMeters, Meters, PoolMeters, SupervisorMeters } from "./meters.js";
export type { PoolStats, PoolTimes, SupervisedPoolRef } from "./pool-ref.js";
export type { Down, Exit } from "./process-signals.js";
export type { SupervisedRouterRef } from "./router-ref.js";
export type { RouterStats } from "./router-stats.js";
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
export type { TraceEvent, TraceOptions } from "./trace.js";
export type { TreeNode } from "./tree.js";
