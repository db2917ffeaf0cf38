import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Producer } from "@mini-otp/worker-host/protocol/memory";
import type { Notice, ToMain } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { Undelivered } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { SignalRequest } from "../signals/process-signals.js";
import type { Clock } from "../supervision/clock.js";
import type { ActorThread } from "../threads/actor-thread.js";
import type { StartGate } from "../threads/start-gate.js";
import type { ThreadSourceHost } from "../threads/thread-source.js";

/** An upgrade that is done. */
export interface UpgradeReport {
  readonly fromVersion: string;
  readonly version: string | undefined;
}

/** What an actor, an `A`, asks of its system. */
export interface ActorHost<A> extends ThreadSourceHost {
  readonly startGate: StartGate;
  /** Main, where it takes part in the rings' protocol. */
  readonly producer: Producer;
  /** What `deadlineAt` is told by. */
  readonly clock: Clock;
  /** Takes in what all threads have said so far. */
  takeMessages(): void;
  /** A thread has started or gone. */
  threadStarted(thread: ActorThread, actor: A): void;
  /** `slot` is the one it consumed. */
  threadExited(thread: ActorThread, actor: A, slot: Slot): void;
  /** A thread has survived its kill. */
  threadAbandoned(thread: ActorThread, actor: A, reason: ExitReason): void;
  relocate(slot: Slot): Slot;
  /** Tells everyone who ever called this actor that what it consumed so far is not answered any more. */
  notifyCallers(slot: Slot, reason: ExitReason, consumedBefore: number, closed: boolean): void;
  /** Other code runs in the same incarnation now. */
  upgraded(actor: A, report: UpgradeReport): void;
  lifeStarted(actor: A): void;
  /** An incarnation is over. Returns what tells its monitors and links, the last thing that follows from an exit. */
  lifeEnded(actor: A, reason: ExitReason): () => void;
  /** Throws ERR_NAME_TAKEN. */
  claimName(actor: A, name: string | undefined): void;
  releaseName(actor: A, name: string | undefined): void;
  whereis(name: string): ActorRef | undefined;
  signal(actor: A, request: SignalRequest): void;
  heed(notice: Notice): void;
  claim(actor: A, owner: number, number: number): void;
  runTaskFor(actor: A, message: Extract<ToMain, { type: "run_task" }>): void;
  abortTaskOf(actor: A, request: number): void;
  undelivered(id: string, messages: readonly Undelivered[], reason: ExitReason): void;
  unhandled(id: string, method: string, detail: string): void;
  disposed(actor: A): void;
  /** Nothing is counted of it any more. */
  gone(actor: A): void;
}
