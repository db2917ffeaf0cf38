// Internal: for @mini-otp/runtime of the same version.
export { BARE_THREAD_MB } from "./bare-thread.js";
export {
  type BootData,
  comlinkActorUrl,
  exposingModules,
  GUARD_HOOK,
  type InitData,
  type ProcessOptions,
  type ThreadCode,
  WORKER_MAIN,
} from "./boot.js";
export { type CollectGarbage, garbageCollector } from "./garbage-collector.js";
export { LOG_LEVELS, type LogLevel, levelValue, logUnits, SILENT } from "./log-levels.js";
export type {
  MembersNews,
  MessageKind,
  Notice,
  Parcel,
  Target,
  ToActor,
  ToMain,
  TraceOutcome,
  TraceRequest,
} from "./messages.js";
export { type PostedResult, type PostedTask, packResult, packTask, unpackResult, unpackTask } from "./packed-task.js";
export {
  type Inheritance,
  isPartitionUrl,
  type KeptMember,
  type LastWords,
  type MemberItem,
  type MemberLife,
  type MemberSignal,
  type MemberSpec,
  type MembersWeigh,
  type PartitionArgs,
  partitionUrl,
  type StartedMembers,
  type UpgradedMembers,
} from "./partition.js";
export {
  type FromPoolProcess,
  POOL_PROCESS,
  type PoolProcessData,
  type TaskFigures,
  type ToPoolProcess,
} from "./pool-process.js";
export {
  CALLED,
  type FromStreamTask,
  isTaskFailure,
  PLACE_GREW_KB,
  PLACE_MEMORY_KB,
  PLACE_STAGE,
  PLACE_THREAD,
  PLACE_TOOK_US,
  PLACE_WORDS,
  POOL_MAIN,
  type PoolTables,
  type PoolThreadData,
  type TaskFailure,
  type TaskMessage,
  type ToStreamTask,
} from "./pool-task.js";
export {
  ACTOR_PROCESS,
  type ActorProcessData,
  type Addressee,
  COLLECT_HOOK,
  FIGURES_MS,
  type FromActorProcess,
  type ProcessAnswer,
  type ProcessFigures,
  type ProcessPart,
  type ProcessRequest,
  REQUESTS_FD,
  type ToActorProcess,
  WATCHER_FD,
  type WatcherWord,
} from "./process.js";
