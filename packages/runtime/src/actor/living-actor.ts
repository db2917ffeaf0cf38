import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { LastWords, MembersNews, ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef, Transferable } from "@mini-otp/worker-host/protocol/refs";
import type { ActorMeter } from "../introspection/actor-meter.js";
import type { ActorTraces } from "../introspection/actor-traces.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import type { ActorThread } from "../threads/actor-thread.js";
import type { ThreadSource } from "../threads/thread-source.js";
import type { ActorPlace } from "./actor-place.js";

/** The parts of an actor that outlive its incarnations. */
export interface LivingActor {
  readonly id: string;
  readonly ref: ActorRef;
  readonly spec: FullActorSpec;
  readonly place: ActorPlace;
  readonly threads: ThreadSource;
  readonly meter: ActorMeter;
  readonly traces: ActorTraces;
  /** Brings `meter` up to date with the counters in shared memory. */
  readMeter(): void;
  /** A partition's thread tells of its members. */
  onNews(news: MembersNews): void;
  /** A partition's thread is about to end. */
  onLastWords(words: LastWords): void;
  /** Calls of this caller that the next thread answers although the former one had consumed them: correlations. */
  keptCallsOf(callerUid: number): readonly number[];
  /** Before a thread is killed: has it write out what the next one needs. Undefined when there is nothing. */
  lastWords(thread: ActorThread, reason: ExitReason | undefined): Promise<void> | undefined;
  /** A light actor of its thread has handled a message that is traced. */
  onTraced(traced: Extract<ToMain, { type: "traced" }>): void;
  /** Starts a child of the actor's own. */
  startChild(spec: unknown): Promise<unknown>;
  /** Posts to the latest incarnation's thread. */
  post(message: ToActor, transfer?: readonly Transferable[]): void;
}
