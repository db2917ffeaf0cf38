// The declarations name types of Node's, which TypeScript 6 and later leave out by default: options would be `any`.
/// <reference types="node" preserve="true" />
export type { CallOutcome, PublishedCall } from "@mini-otp/worker-host/protocol/calls";
export {
  ActorError,
  type ActorErrorArguments,
  type ActorErrorBase,
  type ActorErrorCode,
  type ActorErrorConstructor,
  type AnyActorError,
  type ChildFacts,
  describeExit,
  type ErrorWithCode,
  type ExitKind,
  type ExitReason,
  type FactName,
  type FactsArgument,
  type FactsByCode,
  type FactsOfOthers,
  isActorError,
  isCleanExit,
  isReplyError,
  type MailboxFacts,
  type MethodFacts,
  type ModuleFacts,
  type NodeFacts,
  type OptionFacts,
  type ProcessFacts,
  ReplyError,
  type SpecFacts,
  type StageFacts,
  type StartFacts,
} from "@mini-otp/worker-host/protocol/errors";
export {
  bucketStartMs,
  type HistogramReading,
  type OverflowPolicy,
  type RouteKey,
} from "@mini-otp/worker-host/protocol/memory";
export type { Given } from "@mini-otp/worker-host/protocol/options";
export type { LogLevel, MessageKind, TraceOutcome } from "@mini-otp/worker-host/protocol/port";
export type {
  ActorRef,
  AnswersWithStream,
  CastResult,
  Cloneable,
  CloneableArgs,
  ExposedActor,
  ItemsOf,
  MapOptions,
  MemberResult,
  MethodArgs,
  MethodName,
  MethodReply,
  Methods,
  NotAnActor,
  NotCloneable,
  PoolRef,
  RefOf,
  RefOptions,
  Remote,
  RepliesOnce,
  ResultOf,
  RouterRef,
  RunOptions,
  StreamItem,
  StreamName,
  TaskOf,
  Transferable,
} from "@mini-otp/worker-host/protocol/refs";
export type { DevOptions } from "./dev/dev-options.js";
export type { OfEach, StatsOf } from "./directory/references.js";
export type { GuardOptions } from "./guard/guard-options.js";
export type { LossCause } from "./introspection/actor-meter.js";
export type { HealthProblem, SystemHealth } from "./introspection/health.js";
export type { TraceEvent, TraceOptions } from "./introspection/trace.js";
export type { TreeNode } from "./introspection/tree.js";
export type {
  DeadLetterCause,
  EventFacts,
  EventName,
  LogLine,
  ReportedEvent,
  StreamedEvent,
  SystemEvent,
  SystemEvents,
  UnattributedMemory,
} from "./reporting/events.js";
export type { LastSeen } from "./reporting/last-seen.js";
export type { Logger, LogMethod } from "./reporting/logger.js";
export type { NodeEvents } from "./reporting/node-events.js";
export type { Down, Exit } from "./signals/process-signals.js";
export type { ActorStats } from "./stats/actor-stats.js";
export type { PoolMemory, PoolStats, PoolTimes } from "./stats/pool-stats.js";
export type { RouterStats } from "./stats/router-stats.js";
export type {
  AnySupervisorRef,
  ChildCounts,
  ChildInfo,
  ChildStatus,
  ChildSupervisorInfo,
  CommonChildInfo,
  RecentRestarts,
  SupervisorInfo,
  WorkerInfo,
} from "./supervision/administration.js";
export type { BackoffOptions } from "./supervision/backoff.js";
export type { ChildStopReport, MembersStopReport, RestartType, Shutdown, StopOutcome } from "./supervision/child.js";
export {
  type ActorArgs,
  type ActorOf,
  type ActorSpec,
  type ActorSpecOptions,
  type ActorUrl,
  type ChildOptions,
  type ChildSpec,
  type DynamicSupervisorSpec,
  dynamicSupervisor,
  type ExactChildren,
  type ExactSpec,
  type MailboxOptions,
  type NotWith,
  type OnlyWith,
  type Permissions,
  type PoolSpec,
  pool,
  type RecycleOptions,
  type RequiredArgs,
  type ResourceContext,
  type ResourceSpec,
  type RightArgs,
  type RouterSpec,
  resource,
  router,
  type SharingThreads,
  type SupervisorOptions,
  type SupervisorSpec,
  supervisor,
  type TemplateOf,
  type ThreadsOptions,
} from "./supervision/child-spec.js";
export type { AsLiteral, Exact, MeantOption, NoSuchOption, NotTheArgs } from "./supervision/exact.js";
export type {
  ExactMember,
  ExactMembers,
  MemberActor,
  MemberInfo,
  MemberSpecFor,
  MemberStart,
  MembersPage,
  NoMemberSpec,
  PartitionedSupervisor,
  PartitionedSupervisorRef,
  PartitionInfo,
  StartedMember,
  UpgradedPartition,
} from "./supervision/partitioned-ref.js";
export type { SupervisedPoolRef } from "./supervision/pool-ref.js";
export type { ChildSummary, ReportFacts, SupervisionReport } from "./supervision/report.js";
export type { AutoShutdown, Strategy } from "./supervision/restart-strategy.js";
export type { SupervisedRouterRef } from "./supervision/router-ref.js";
export type {
  ChildId,
  ChildRef,
  DynamicRef,
  DynamicSpecFor,
  DynamicSupervisorRef,
  ExactDynamic,
  RefOfSpec,
  RestartedRef,
  SpecFor,
  StartedLater,
  StartedRef,
  SupervisorRef,
} from "./supervision/supervisor-ref.js";
export { ActorSystem, startSystem } from "./system/actor-system.js";
export { handleSignals, type SignalOptions } from "./system/handle-signals.js";
export type { ActorIdentity, ActorMeters, LightMeters, Meters, PoolMeters, SupervisorMeters } from "./system/meters.js";
export type { StopOptions, StopReport, SystemOptions, SystemStats, UpgradeOptions } from "./system/system-options.js";
export { comlinkActor } from "./threads/comlink-actor.js";
