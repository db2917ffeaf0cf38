import { availableParallelism } from "node:os";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { logUnits, type ToMain } from "@mini-otp/worker-host/protocol/port";
import { payloadOf } from "@mini-otp/worker-host/protocol/values";
import type { ActorChild } from "../actor/actor-child.js";
import type { ThreadHost } from "../actor/actor-host.js";
import type { Guard } from "../guard/guard.js";
import type { Slot, Slots } from "../mailbox/slots.js";
import type { MailRoom } from "../messaging/mail-room.js";
import type { MainOutbox } from "../messaging/main-outbox.js";
import { ActorTasks, type RunTask } from "../pool/actor-tasks.js";
import type { ActorLogs, LogSource } from "../reporting/actor-logs.js";
import type { Clock } from "../supervision/clock.js";
import type { ActorThread } from "../threads/actor-thread.js";
import type { ActorThreads } from "../threads/actor-threads.js";
import { OwnerIds } from "../threads/owner-ids.js";
import type { SpareThreads } from "../threads/spare-threads.js";
import { StartGate } from "../threads/start-gate.js";

/** More than one, because a thread that loads waits for the disk some of the time. */
const LOADING_PER_CORE = 2;

export interface ThreadRoomParts {
  readonly clock: Clock;
  readonly slots: Slots;
  readonly mail: MailRoom;
  readonly threads: ActorThreads<ActorChild>;
  readonly guard: Guard;
  readonly headroomMb: number;
  readonly logs: ActorLogs;
  readonly epochMs: number;
  /** One word: the number of actors' threads that do not sleep. */
  readonly awake: Int32Array;
  readonly runTask: RunTask;
}

/** Main's part in actors' threads: numbers them, runs their tasks, takes their log lines, clears up after each. */
export class ThreadRoom implements ThreadHost<ActorChild> {
  readonly clock: Clock;
  readonly slots: Slots;
  readonly outbox: MainOutbox;
  readonly guard: Guard;
  readonly headroomMb: number;
  readonly logs: ActorLogs;
  readonly epochMs: number;
  readonly awake: Int32Array;
  readonly startGate = new StartGate(LOADING_PER_CORE * availableParallelism());
  readonly #parts: ThreadRoomParts;
  readonly #tasks: ActorTasks<ActorChild>;
  readonly #ownerIds: OwnerIds;

  constructor(parts: ThreadRoomParts) {
    const { clock, slots, mail, threads, guard, headroomMb, logs, epochMs, awake, runTask } = parts;
    this.#parts = parts;
    this.clock = clock;
    this.slots = slots;
    this.outbox = mail.outbox;
    this.guard = guard;
    this.headroomMb = headroomMb;
    this.logs = logs;
    this.epochMs = epochMs;
    this.awake = awake;
    this.#tasks = new ActorTasks(mail.outbox.codec, runTask);
    this.#ownerIds = new OwnerIds((ownerId) => threads.has(ownerId));
  }

  get spares(): SpareThreads {
    return this.#parts.threads.spares;
  }

  get preparing(): Set<ActorThread> {
    return this.#parts.threads.preparing;
  }

  nextOwnerId(): number {
    return this.#ownerIds.next();
  }

  takeMessages(): void {
    this.#parts.threads.takeMessages();
  }

  started(thread: ActorThread, actor: ActorChild): void {
    this.#parts.threads.started(thread, actor);
  }

  exited(thread: ActorThread, actor: ActorChild, slot: Slot): void {
    const { threads, mail } = this.#parts;
    this.#tasks.abandon(actor);
    threads.exited(thread, actor, slot);
    mail.threadExited(thread.ownerId, actor);
  }

  abandoned(thread: ActorThread, actor: ActorChild, reason: ExitReason): void {
    this.#parts.threads.abandoned(thread, actor, reason);
  }

  relocate(slot: Slot): Slot {
    return this.slots.relocate(slot, this.#parts.mail.producer);
  }

  runTask(actor: ActorChild, message: Extract<ToMain, { type: "run_task" }>): void {
    this.#tasks.run(actor, message);
  }

  abortTask(actor: ActorChild, request: number): void {
    this.#tasks.abort(actor, request);
  }

  log(source: LogSource, { level, atMs, line }: Extract<ToMain, { type: "log" }>): void {
    let args: unknown[];
    try {
      args = this.outbox.codec.decodeArgs(payloadOf(line));
    } catch (error) {
      args = [null, error, "a line of log that cannot be decoded"];
    }
    this.logs.write(source, level, atMs, logUnits(line.bytes.length), args);
  }
}
