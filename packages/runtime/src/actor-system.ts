import { performance } from "node:perf_hooks";
import {
  ActorError,
  ActorRef,
  BLOCKED_ON,
  CALLERS,
  DISPATCHES,
  describeExit,
  type Encoded,
  type ExitReason,
  encodeForeign,
  HANDLING,
  hrtimeMs,
  type LogLevel,
  NAME_TABLE_BYTES,
  NameTable,
  type Producer,
  payloadOf,
  SHUTDOWN,
  type ToActor,
  type ToMain,
} from "@mini-otp/worker-host/protocol";
import { ActorChild, type ActorHost } from "./actor-child.js";
import type { ActorThread } from "./actor-thread.js";
import { findCycles } from "./call-cycles.js";
import { DeadLetters } from "./dead-letters.js";
import { type EventName, Events, type SystemEvent, type SystemEvents } from "./events.js";
import { type Logger, reportLogger, systemLogger } from "./logger.js";
import type { Undelivered } from "./mailbox.js";
import { MainOutbox } from "./main-outbox.js";
import { Parcels } from "./parcels.js";
import { type Slot, Slots } from "./slots.js";
import type { ChildStopReport, OnExit } from "./supervision/child.js";
import type { ActorSpec, ChildSpec, FullActorSpec } from "./supervision/child-spec.js";
import { systemClock } from "./supervision/clock.js";
import { normaliseSpec } from "./supervision/normalise-spec.js";
import type { AutoShutdown, Strategy } from "./supervision/restart-strategy.js";
import { createRootSupervisor, type LeafSpec } from "./supervision/supervision-tree.js";
import type { SupervisorProcess } from "./supervision/supervisor-process.js";
import type { SupervisorRef } from "./supervision/supervisor-ref.js";

export interface SystemOptions {
  /** Shown in logs. Default `"mini-otp"`. */
  name?: string;
  strategy?: Strategy;
  intensity?: number;
  periodMs?: number;
  autoShutdown?: AutoShutdown;
  children?: readonly ChildSpec[];
  /** A pino logger, or anything of its shape; `false` for none. Default: pino, warnings and above, to stderr. */
  logger?: Logger | false;
}

export interface StopOptions {
  /** For the whole tree. Without it, each child has its own `shutdown`. */
  timeoutMs?: number;
  reason?: ExitReason;
}

export interface StopReport {
  readonly reason: ExitReason;
  readonly drained: number;
  readonly dropped: number;
  readonly killed: boolean;
  readonly zombie: boolean;
  readonly children: readonly ChildStopReport[];
}

/** A snapshot read from shared memory: it answers for a hung actor too. */
export interface ActorStats {
  readonly state: "running" | "stopped";
  readonly incarnation: number;
  readonly restarts: number;
  readonly mailbox: {
    /** Messages accepted and not yet taken by a handler. */
    readonly length: number;
    readonly bytes: number;
    readonly capacity: number;
    readonly capacityBytes: number;
    readonly enqueued: number;
    readonly handled: number;
    readonly dropped: number;
    readonly blockedMs: number;
  };
  readonly heapCapMb: number;
  readonly handling: { readonly method: string } | null;
}

/** A circle is broken when it is seen for the second time, so within twice this and a sleeper's slice of 50 ms. */
const CYCLE_CHECK_MS = 250;
const MAIN_MAILBOX_BYTES = 4096;
const MAIN_SYSTEM_BYTES = 1024 * 1024;
const ACTOR_SYSTEM_BYTES = 128 * 1024;
/** Longer than any critical section takes a running thread; a lock held longer has an owner that was preempted or died. */
const MAIN_LOCK_PATIENCE_MS = 5;

/** A running system: the root supervisor, and what main does for the actors under it. */
export class ActorSystem implements SupervisorRef {
  readonly name: string;
  /** Resolves with the root's exit reason once everything has ended. */
  readonly terminated: Promise<ExitReason>;
  readonly #root: SupervisorProcess;
  readonly #slots: Slots;
  readonly #outbox: MainOutbox;
  readonly #names: NameTable;
  readonly #producer: Producer;
  readonly #epochMs = hrtimeMs();
  readonly #events = new Events();
  readonly #deadLetters: DeadLetters;
  readonly #threads = new Map<ActorThread, ActorChild>();
  readonly #actors = new Map<number, ActorChild>();
  readonly #registered = new Map<string, ActorChild>();
  readonly #parcels = new Parcels();
  readonly #logger: Logger;
  #nextOwnerId = 1;
  #cyclesSeen = new Set<string>();
  readonly #cycleTimer = setInterval(() => this.#breakCycles(), CYCLE_CHECK_MS).unref();
  #stopping: Promise<StopReport> | undefined;
  #resolveTerminated!: (reason: ExitReason) => void;

  private constructor(options: SystemOptions) {
    this.name = options.name ?? "mini-otp";
    this.#logger = systemLogger(options.logger, this.name);
    this.terminated = new Promise((resolve) => {
      this.#resolveTerminated = resolve;
    });
    this.#producer = {
      ownerId: this.#nextOwnerId++,
      lockPatienceMs: MAIN_LOCK_PATIENCE_MS,
      epochMs: this.#epochMs,
    };
    this.#slots = new Slots((buffer) => {
      for (const thread of this.#threads.keys()) thread.post({ type: "segment", buffer });
    });
    this.#names = new NameTable(new SharedArrayBuffer(NAME_TABLE_BYTES), this.#producer);
    const self = this.#slots.allocate({
      capacity: 1,
      mailboxBytes: MAIN_MAILBOX_BYTES,
      systemBytes: MAIN_SYSTEM_BYTES,
      overflow: "reject",
      blockTimeoutMs: 0,
      maxDeliveries: 1,
    });
    this.#outbox = new MainOutbox(self, this.#slots, this.#names, this.#producer, {
      detour: (message) => this.#detour(message),
      parcel: (uid, parcel) => this.#parcels.add(uid, parcel),
      discardParcel: (owner, number) => this.#parcels.discard(owner, number),
      dropped: (id, _uid, method) => this.#deadLetters.add(id, method, "dropped"),
      stats: (uid) => this.#stats(uid),
    });
    this.#deadLetters = new DeadLetters(this.#events, this.#logger);
    const { strategy, intensity, periodMs, autoShutdown, children } = options;
    const spec = normaliseSpec(
      {
        kind: "supervisor",
        id: "root",
        ...given({ strategy, intensity, periodMs, autoShutdown, children }),
      } as ChildSpec,
      "",
    );
    const report = reportLogger(this.#logger);
    this.#root = createRootSupervisor(
      spec as Parameters<typeof createRootSupervisor>[0],
      {
        clock: systemClock,
        random: Math.random,
        createChild: (child, path, onExit) => this.#createChild(child, path, onExit),
        report: (event) => {
          report(event);
          this.#events.emit(event);
        },
      },
      (reason) => this.#ended(reason),
    );
  }

  /** Starts a system with these children. Rejects as `startChild` does; then nothing is left running. */
  static async start(options: SystemOptions = {}): Promise<ActorSystem> {
    const system = new ActorSystem(options);
    const outcome = await system.#root.start();
    if (outcome.kind === "failed") {
      system.#root.dispose();
      system.#ended(outcome.reason);
      throw outcome.reason.kind === "init_failed"
        ? outcome.reason.error
        : new ActorError("ERR_INIT_FAILED", describeExit(outcome.reason));
    }
    return system;
  }

  get id(): string {
    return this.#root.ref.id;
  }

  startChild<A = any>(spec: ActorSpec<A>): Promise<ActorRef<A>>;
  startChild(spec: ChildSpec): Promise<any>;
  startChild(spec: ChildSpec): Promise<any> {
    return this.#root.ref.startChild(spec);
  }

  terminateChild(id: string): Promise<void> {
    return this.#root.ref.terminateChild(id);
  }

  restartChild(id: string): Promise<any> {
    return this.#root.ref.restartChild(id);
  }

  deleteChild(id: string): Promise<void> {
    return this.#root.ref.deleteChild(id);
  }

  whichChildren(): ReturnType<SupervisorRef["whichChildren"]> {
    return this.#root.ref.whichChildren();
  }

  countChildren(): ReturnType<SupervisorRef["countChildren"]> {
    return this.#root.ref.countChildren();
  }

  child(id: string): any {
    return this.#root.ref.child(id);
  }

  /** The actor registered under `name`, or undefined. */
  whereis(name: string): ActorRef | undefined {
    return this.#registered.get(name)?.ref;
  }

  /** Ends an actor with this reason; `"kill"` cannot be trapped and ends it as `killed`. */
  exit(ref: ActorRef, reason: ExitReason | "kill"): void {
    this.#actors.get(ref.uid)?.kill(reason === "kill" ? { kind: "killed" } : reason);
  }

  /** The actor's numbers. Throws ERR_NOPROC for one that is gone for good. */
  stats(ref: ActorRef): ActorStats {
    return this.#stats(ref.uid);
  }

  /** Returns the function that takes the listener off again. */
  on<E extends EventName>(event: E, listener: (event: SystemEvents[E]) => void): () => void {
    return this.#events.on(event, listener);
  }

  /** All events from now on. */
  events(options: { signal?: AbortSignal } = {}): AsyncGenerator<SystemEvent, void, undefined> {
    return this.#events.stream(options.signal);
  }

  /**
   * Stops everything in order: each child refuses new messages, handles those it has accepted, runs `terminate`,
   * and is killed when its `shutdown` or the share of `timeoutMs` is over. Idempotent. Afterwards the process can
   * end by itself.
   */
  stop(options: StopOptions = {}): Promise<StopReport> {
    this.#stopping ??= this.#stop(options);
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop({ timeoutMs, reason = SHUTDOWN }: StopOptions): Promise<StopReport> {
    const outcome = await this.#root.stop({
      reason,
      shutdown: "infinity",
      restarting: false,
      ...(timeoutMs === undefined ? {} : { deadlineAt: systemClock.now() + timeoutMs }),
    });
    this.#root.dispose();
    this.#ended(outcome.reason);
    return { ...outcome, children: outcome.children ?? [] };
  }

  #ended(reason: ExitReason): void {
    clearInterval(this.#cycleTimer);
    this.#outbox.close((id) => new ActorError("ERR_SYSTEM_STOPPED", `id=${id}: the system has stopped`, { id }));
    this.#events.emit({ event: "system_stopped", id: this.id, at: performance.now(), reason });
    this.#resolveTerminated(reason);
  }

  #createChild(spec: LeafSpec, path: string, onExit: OnExit): ActorChild {
    if (spec.kind !== "actor") {
      throw new ActorError("ERR_INVALID_CHILD_SPEC", `${path}: children of kind ${spec.kind} cannot be started yet`);
    }
    return this.#createActor(spec as FullActorSpec, path, onExit);
  }

  #createActor(spec: FullActorSpec, path: string, onExit: OnExit): ActorChild {
    const { mailbox, name } = spec;
    if (name !== undefined && this.#registered.has(name)) {
      throw new ActorError("ERR_NAME_TAKEN", `${path}: name=${name} is taken by ${this.#registered.get(name)?.id}`, {
        id: path,
        name,
      });
    }
    const slot = this.#slots.allocate({
      capacity: mailbox.capacity,
      mailboxBytes: mailbox.capacityBytes,
      systemBytes: ACTOR_SYSTEM_BYTES,
      overflow: mailbox.overflow,
      blockTimeoutMs: mailbox.blockTimeoutMs,
      maxDeliveries: spec.maxDeliveries,
    });
    const ref = new ActorRef(this.#outbox, slot.address, slot.uid, path);
    const child = new ActorChild(spec, path, ref, slot, this.#actorHost, onExit);
    this.#actors.set(slot.uid, child);
    if (name !== undefined) this.#registered.set(name, child);
    return child;
  }

  readonly #actorHost: ActorHost = ((): ActorHost => {
    const system = this;
    return {
      get slots() {
        return system.#slots;
      },
      get outbox() {
        return system.#outbox;
      },
      epochMs: system.#epochMs,
      nextOwnerId: () => ++system.#nextOwnerId,
      threadStarted: (thread, child) => void system.#threads.set(thread, child),
      threadExited: (thread, child) => {
        system.#threads.delete(thread);
        system.#parcels.senderExited(thread.ownerId);
        system.#parcels.forget(child.slot.uid, "claims");
        system.#names.repair(thread.ownerId);
        system.#slots.repair(child.slot, thread.ownerId);
      },
      notifyCallers: (slot, reason, consumedBefore, closed) =>
        system.#notifyCallers(slot, reason, consumedBefore, closed),
      detour: (message) => system.#detour(message),
      parcel: (uid, parcel) => system.#parcels.add(uid, parcel),
      discardParcel: (owner, number) => system.#parcels.discard(owner, number),
      claim: (child, owner, number) => system.#claim(child, owner, number),
      dropped: (id, method) => system.#deadLetters.add(id, method, "dropped"),
      undelivered: (id, messages, reason) => system.#undelivered(id, messages, reason),
      unhandled: (id, method, detail) => system.#deadLetters.add(id, method, "unknown_method", undefined, detail),
      log: (child, level, args) => system.#log(child, level, args),
      disposed: (child) => {
        system.#actors.delete(child.slot.uid);
        system.#parcels.forget(child.slot.uid, "all");
        if (child.spec.name !== undefined) system.#registered.delete(child.spec.name);
      },
    };
  })();

  #notifyCallers(slot: Slot, reason: ExitReason, consumedBefore: number, closed: boolean): void {
    let encodedReason: Encoded | undefined;
    for (const caller of this.#slots.members(slot, CALLERS)) {
      if (caller.uid === this.#outbox.self.uid) {
        // Replies sent before the exit come first.
        this.#outbox.takeReplies();
        this.#outbox.pending.calleeExited(slot.uid, reason, consumedBefore, closed);
        continue;
      }
      encodedReason ??= encodeForeign(this.#outbox.codec, reason);
      const message: ToActor = { type: "callee_exited", uid: slot.uid, reason: encodedReason, consumedBefore, closed };
      this.#actors.get(caller.uid)?.post(message);
    }
  }

  #detour({ uid, kind, correlation, payload }: Extract<ToMain, { type: "detour" }>): void {
    if (uid === this.#outbox.self.uid) this.#outbox.takeReply(kind, correlation, payloadOf(payload));
    else this.#actors.get(uid)?.post({ type: "reply", kind, correlation, payload });
  }

  #claim(child: ActorChild, owner: number, number: number): void {
    const { uid } = child.slot;
    const senderLives =
      owner === this.#producer.ownerId || [...this.#threads.keys()].some((thread) => thread.ownerId === owner);
    this.#parcels.claim(uid, owner, number, senderLives, child.spec.maxDeliveries > 1, (parcel) => {
      child.post({ type: "parcel", parcel }, parcel === null ? [] : parcel.transferred);
    });
  }

  /** Breaks what nobody in it can leave: actors that block on each other, seen twice so that it is no passing state. */
  #breakCycles(): void {
    const blockedOn = new Map<number, number>();
    for (const { slot } of this.#actors.values()) {
      const on = Atomics.load(slot.memory.words, BLOCKED_ON);
      if (on !== 0) blockedOn.set(slot.uid, on);
    }
    const seen = new Set<string>();
    for (const cycle of findCycles(blockedOn)) {
      const actors = cycle.map((uid) => this.#actors.get(uid)).filter((actor) => actor !== undefined);
      const key = actors.map(({ slot }) => `${slot.uid}:${slot.memory.words[DISPATCHES]}`).join(" ");
      if (this.#cyclesSeen.has(key)) {
        actors[0].post({ type: "break_cycle", cycle: [...actors, actors[0]].map(({ id }) => id) });
      } else {
        seen.add(key);
      }
    }
    this.#cyclesSeen = seen;
  }

  #undelivered(id: string, messages: readonly Undelivered[], reason: ExitReason): void {
    for (const { method, attempts, parcel } of messages) {
      if (parcel !== undefined) this.#parcels.discard(...parcel);
      this.#deadLetters.add(id, this.#names.name(method), attempts > 0 ? "in_flight" : "queued", reason);
    }
  }

  #log(child: ActorChild, level: LogLevel, args: unknown[]): void {
    const bindings = { actor: child.id, incarnation: child.incarnation, thread: child.threadId };
    const [first, ...rest] = args;
    if (first instanceof Error) this.#logger[level]({ ...bindings, err: first }, ...rest);
    else if (typeof first === "object" && first !== null) this.#logger[level]({ ...bindings, ...first }, ...rest);
    else this.#logger[level](bindings, ...args);
  }

  #stats(uid: number): ActorStats {
    const child = this.#actors.get(uid);
    if (child === undefined) throw new ActorError("ERR_NOPROC", `no such actor`);
    const { length, bytes, capacityBytes, enqueued, handled } = child.mailbox.counts();
    const method = this.#names.name(child.slot.memory.words[HANDLING]);
    return {
      state: child.running ? "running" : "stopped",
      incarnation: child.incarnation,
      restarts: Math.max(0, child.incarnation - 1),
      mailbox: {
        length,
        bytes,
        capacity: child.spec.mailbox.capacity,
        capacityBytes,
        enqueued,
        handled,
        dropped: child.mailbox.dropped,
        blockedMs: child.mailbox.blockedMs,
      },
      heapCapMb: child.spec.heapCapMb,
      handling: method === "" ? null : { method },
    };
  }
}

/** Starts a system. @see ActorSystem.start */
export function startSystem(options: SystemOptions = {}): Promise<ActorSystem> {
  return ActorSystem.start(options);
}

function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
