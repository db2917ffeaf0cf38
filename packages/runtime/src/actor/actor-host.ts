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

/** The parts of a system that an actor, an `A`, uses. */
export interface ActorHost<A> {
  readonly threads: ThreadHost<A>;
  readonly mail: MailHost<A>;
  readonly names: NameHost<A>;
}

/** Provides an actor's threads, and clears up after them. */
export interface ThreadHost<A> extends ThreadSourceHost {
  readonly startGate: StartGate;
  /** The clock of `deadlineAt`. */
  readonly clock: Clock;
  /** Handles the messages that all threads have posted so far. */
  takeMessages(): void;
  started(thread: ActorThread, actor: A): void;
  /** `slot` is the slot that the thread consumed. */
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
  /** Main as a party to the rings' protocol. */
  readonly producer: Producer;
  /** Tells each caller of the actor in `slot` that calls it consumed before `consumedBefore` get no reply any more. */
  notifyCallers(
    slot: Slot,
    reason: ExitReason,
    consumedBefore: number,
    closed: boolean,
    keptOf?: (callerUid: number) => readonly number[],
  ): void;
  /** `from` is the actor whose thread tells it. */
  handleNotice(notice: Notice, from?: A): void;
  claim(actor: A, owner: number, number: number, direct: boolean): void;
  undelivered(id: string, messages: readonly Undelivered[], reason: ExitReason): void;
  unhandled(id: string, method: string, detail: string): void;
  /** The actor is gone for good. */
  forget(actor: A): void;
}

/** Makes an actor known: by its name, its path, its monitors and links, and events. */
export interface NameHost<A> {
  /** Throws ERR_NAME_TAKEN. */
  claim(actor: A, name: string | undefined): void;
  release(actor: A, name: string | undefined): void;
  whereis(name: string): ActorRef | undefined;
  lifeStarted(actor: A): void;
  /** An incarnation is over. Returns the function that tells its monitors and links: the last step of an exit. */
  lifeEnded(actor: A, reason: ExitReason): () => void;
  signal(actor: A, request: SignalRequest): void;
  /** Sends the actor a DOWN with the monitor `-readerUid` when that process ends, unless it is main. */
  watchReader(actor: A, readerUid: number): void;
  /** The incarnation runs other code now. */
  upgraded(actor: A, report: UpgradeReport): void;
  /** The actor's spec is gone. */
  disposed(actor: A): void;
  /** The actor's counts are final. */
  gone(actor: A): void;
}
