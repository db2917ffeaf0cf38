import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Producer } from "@mini-otp/worker-host/protocol/memory";
import type { Notice, ToMain } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { Undelivered } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { MainOutbox } from "../messaging/main-outbox.js";
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
export interface ActorHost<A> {
  readonly threads: ThreadHost<A>;
  readonly mail: MailHost<A>;
  readonly names: NameHost<A>;
}

/** Where an actor's threads come from, and who clears up after them. */
export interface ThreadHost<A> extends ThreadSourceHost {
  readonly startGate: StartGate;
  /** What `deadlineAt` is told by. */
  readonly clock: Clock;
  /** Takes in what all threads have said so far. */
  takeMessages(): void;
  started(thread: ActorThread, actor: A): void;
  /** `slot` is the one it consumed. */
  exited(thread: ActorThread, actor: A, slot: Slot): void;
  /** The thread has survived its kill. */
  abandoned(thread: ActorThread, actor: A, reason: ExitReason): void;
  relocate(slot: Slot): Slot;
  runTask(actor: A, message: Extract<ToMain, { type: "run_task" }>): void;
  abortTask(actor: A, request: number): void;
}

/** Main's part in an actor's messages. */
export interface MailHost<A> {
  readonly outbox: MainOutbox;
  /** Main, where it takes part in the rings' protocol. */
  readonly producer: Producer;
  /** Tells everyone who ever called this actor that what it consumed so far is not answered any more. */
  notifyCallers(slot: Slot, reason: ExitReason, consumedBefore: number, closed: boolean): void;
  handleNotice(notice: Notice): void;
  claim(actor: A, owner: number, number: number): void;
  undelivered(id: string, messages: readonly Undelivered[], reason: ExitReason): void;
  unhandled(id: string, method: string, detail: string): void;
  /** The actor is gone for good. */
  forget(actor: A): void;
}

/** Who knows an actor: by its name, by a monitor or a link, by its path. */
export interface NameHost<A> {
  /** Throws ERR_NAME_TAKEN. */
  claim(actor: A, name: string | undefined): void;
  release(actor: A, name: string | undefined): void;
  whereis(name: string): ActorRef | undefined;
  lifeStarted(actor: A): void;
  /** An incarnation is over. Returns what tells its monitors and links, the last thing that follows from an exit. */
  lifeEnded(actor: A, reason: ExitReason): () => void;
  signal(actor: A, request: SignalRequest): void;
  /** Other code runs in the same incarnation now. */
  upgraded(actor: A, report: UpgradeReport): void;
  disposed(actor: A): void;
  /** Nothing is counted of it any more. */
  gone(actor: A): void;
}
