// Internal: for @mini-otp/runtime of the same version.
export {
  ActorRef,
  type Connection,
  type RefOf,
  type RunOptions,
  type Sender,
  type TaskOptions,
} from "./actor-ref.js";
export type { ActorStats } from "./actor-stats.js";
export type {
  AnswersWithStream,
  CastResult,
  Cloneable,
  CloneableArgs,
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
} from "./actor-types.js";
export { checkedReference } from "./checked-reference.js";
export { EntityRef } from "./entity-ref.js";
export { FarRouterRef, unmarked } from "./far-router-ref.js";
export type { MapOptions } from "./pool-map.js";
export { type ItemsOf, PoolRef, type ResultOf, type TaskOf } from "./pool-ref.js";
export { mergeOptions, type RefOptions } from "./ref-options.js";
export {
  alreadyStarted,
  callAborted,
  noConnection,
  noproc,
  noStreams,
  RUNNING_ALREADY,
  taskAborted,
  wasRefused,
} from "./refusal.js";
export { type MemberResult, processOf, RouterRef } from "./router-ref.js";
export { type Outcome, type StreamLink, StreamReader } from "./stream-reader.js";
export { BATCH_BYTES, FIRST_WINDOW, MAX_BATCH, WINDOW_BYTES } from "./stream-window.js";
export { type Destination, notTransferable, transferLost, uncloneableFor } from "./transfer-list.js";
export { isOutgoing, outgoing } from "./wire-value.js";
