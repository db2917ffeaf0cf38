import { availableParallelism } from "node:os";
import type { ActorError, ExitReason } from "@mini-otp/worker-host/protocol/errors";
import {
  handlingName,
  hrtimeMs,
  MAIN_LOCK_PATIENCE_MS,
  NAME_TABLE_BYTES,
  NameTable,
  type Producer,
} from "@mini-otp/worker-host/protocol/memory";
import { logUnits, type Notice, type Parcel, type ToMain } from "@mini-otp/worker-host/protocol/port";
import { ActorRef, PoolRef, processOf } from "@mini-otp/worker-host/protocol/refs";
import { decodeReason, payloadOf } from "@mini-otp/worker-host/protocol/values";
import { ActorChild } from "../actor/actor-child.js";
import type { ActorHost, UpgradeReport } from "../actor/actor-host.js";
import { Directory, type Referable } from "../directory/directory.js";
import { Registry } from "../directory/registry.js";
import { Guard } from "../guard/guard.js";
import type { FullGuardOptions } from "../guard/guard-options.js";
import { type GuardReports, guardListener } from "../guard/guard-reports.js";
import { checkHeapFlag, findHeapFlag } from "../guard/heap-flags.js";
import { Zombies } from "../guard/zombies.js";
import { statsOf } from "../introspection/actor-stats.js";
import type { Undelivered } from "../mailbox/mailbox.js";
import { type Slot, Slots } from "../mailbox/slots.js";
import { uids } from "../mailbox/uids.js";
import { CycleBreaker } from "../messaging/call-cycles.js";
import { Callers } from "../messaging/callers.js";
import type { DeadLetters } from "../messaging/dead-letters.js";
import { handOver } from "../messaging/hand-over.js";
import { MainOutbox } from "../messaging/main-outbox.js";
import { Parcels } from "../messaging/parcels.js";
import { ActorTasks } from "../pool/actor-tasks.js";
import type { PoolChild } from "../pool/pool.js";
import { ActorLogs, type LogSource } from "../reporting/actor-logs.js";
import type { Events } from "../reporting/events.js";
import { FullMailboxes } from "../reporting/full-mailboxes.js";
import { type LastSeen, lastSeen } from "../reporting/last-seen.js";
import { callSafely } from "../reporting/listeners.js";
import type { Log } from "../reporting/log.js";
import { RouterChild, type RouterHost } from "../router/router.js";
import { type Process, ProcessSignals, type SignalRequest } from "../signals/process-signals.js";
import type { ActorStats } from "../stats/actor-stats.js";
import type { PoolStats } from "../stats/pool-stats.js";
import type { RouterStats } from "../stats/router-stats.js";
import type { OnExit } from "../supervision/child.js";
import type { FullActorSpec, FullPoolSpec, FullRouterSpec } from "../supervision/child-spec.js";
import type { Clock } from "../supervision/clock.js";
import type { TreeEnvironment } from "../supervision/supervision-loop.js";
import type { ActorThread } from "../threads/actor-thread.js";
import { ActorThreads } from "../threads/actor-threads.js";
import { SpareThreads } from "../threads/spare-threads.js";
import { StartGate } from "../threads/start-gate.js";
import { type ActorIdentity, type ActorMeters, identityOf, metersOf } from "./meters.js";
import { Pools } from "./pools.js";

/** Some of the loading is waiting for the disk. */
const LOADING_PER_CORE = 2;
const MAIN_MAILBOX_BYTES = 4096;
const MAIN_SYSTEM_BYTES = 1024 * 1024;
const ACTOR_SYSTEM_BYTES = 128 * 1024;
const MAIN_OWNER_ID = 1;
const FIRST_OWNER_ID = MAIN_OWNER_ID + 1;
const MAX_OWNER_ID = 2 ** 31 - 1;
/** Once a minute the counts of those that sleep are taken in, too. */
const ROUNDS_FOR_ALL = 240;
/** A circle is broken when it is seen for the second time, so within twice this and a sleeper's slice of 50 ms. */
const CYCLE_CHECK_MS = 250;

/** All actors of a system: makes them, and does for them what needs main. Who supervises them is not known here. */
export class Actors implements ActorHost<ActorChild>, RouterHost {
  readonly slots: Slots;
  readonly names: NameTable;
  readonly outbox: MainOutbox;
  readonly signals: ProcessSignals;
  readonly guard: Guard;
  readonly headroomMb: number;
  readonly clock: Clock;
  readonly directory = new Directory();
  /** External processes: they have a slot, and no supervisor. */
  readonly #guests = new Map<number, Process>();
  /** More than one may have a path: the first is meant. */
  readonly #guestsByPath = new Map<string, Set<Process>>();
  readonly pools: Pools;
  readonly epochMs = hrtimeMs();
  readonly producer: Producer;
  readonly logs: ActorLogs;
  readonly #deadLetters: DeadLetters;
  readonly #fullMailboxes: FullMailboxes;
  readonly #events: Events;
  readonly #logger: Log;
  readonly spares: SpareThreads;
  readonly startGate = new StartGate(LOADING_PER_CORE * availableParallelism());
  readonly awake = new Int32Array(new SharedArrayBuffer(4));
  readonly preparing = new Set<ActorThread>();
  readonly #parcels = new Parcels();
  readonly #registry = new Registry<ActorChild | RouterChild>();
  readonly #tasks: ActorTasks<ActorChild>;
  readonly #threads: ActorThreads<ActorChild>;
  readonly #callers: Callers;
  readonly #cycles = new CycleBreaker();
  readonly #cycleTimer = setInterval(() => this.#round(), CYCLE_CHECK_MS).unref();
  readonly #zombies: Zombies;
  readonly #reports: GuardReports;
  readonly #goneListeners = new Set<(last: ActorMeters) => void>();
  readonly #heapFlag = findHeapFlag(process.execArgv, process.env.NODE_OPTIONS);
  #lastOwnerId = MAIN_OWNER_ID;
  #ownersWentRound = false;
  #rounds = 0;

  constructor(
    clock: Clock,
    logger: Log,
    deadLetters: DeadLetters,
    events: Events,
    guard: FullGuardOptions,
    spares: number,
    giveUpProcess: () => void,
  ) {
    this.clock = clock;
    this.headroomMb = guard.headroomMb;
    if (this.#heapFlag !== undefined) {
      const { flag, limitMb } = this.#heapFlag;
      logger.warn({ flag, limitMb }, `${flag} is V8's limit for every actor; heapCapMb is enforced by the guard alone`);
    }
    this.spares = new SpareThreads(spares, (thread) => this.guard.forget(thread));
    this.#zombies = new Zombies(guard, logger, events, giveUpProcess);
    const methodName = (words: Int32Array): string => handlingName(this.names, words);
    this.#reports = guardListener(logger, events, this.#zombies, methodName, guard.onUnattributed, giveUpProcess);
    this.guard = new Guard(guard, this.#reports);
    this.logs = new ActorLogs(logger, events);
    this.#deadLetters = deadLetters;
    this.#fullMailboxes = new FullMailboxes(events);
    this.#events = events;
    this.#logger = logger;
    this.producer = { ownerId: MAIN_OWNER_ID, lockPatienceMs: MAIN_LOCK_PATIENCE_MS, epochMs: this.epochMs };
    this.slots = new Slots((buffer) => {
      for (const thread of [...this.#threads.all, ...this.spares.threads, ...this.preparing])
        thread.post({ type: "segment", buffer });
    });
    this.names = NameTable.create(NAME_TABLE_BYTES, this.producer);
    this.#threads = new ActorThreads(this, this.guard, this.#zombies);
    this.signals = new ProcessSignals({
      byUid: (uid) => this.directory.byUid(uid) ?? this.#guests.get(uid),
      byPath: (id) => this.directory.at(id) ?? this.#guestAt(id),
      refTo: ({ address, uid, id }) =>
        address === undefined ? new PoolRef(this.outbox, uid, id) : new ActorRef(this.outbox, address, uid, id),
      reasonOf: (reason) => decodeReason(this.outbox.codec, reason),
      behind: (uid) => {
        const found = this.directory.byUid(uid) ?? this.#guests.get(uid);
        return found === undefined ? [] : found instanceof RouterChild ? found.actors : [found];
      },
      listenerFailed: (id, error) => logger.error({ id, err: error }, `a monitor's listener for ${id} threw`),
    });
    const self = this.slots.allocate({
      capacity: 1,
      mailboxBytes: MAIN_MAILBOX_BYTES,
      systemBytes: MAIN_SYSTEM_BYTES,
      overflow: "reject",
      blockTimeoutMs: 0,
      maxDeliveries: 1,
    });
    this.outbox = new MainOutbox(self, this.slots, this.names, this.producer, this.awake, {
      heed: (notice) => this.heed(notice),
      takeStarts: () => this.#threads.takeStarts(),
      stats: (uid) => this.stats(uid),
      ownRef: (uid) => this.directory.router(uid)?.ref,
      ownPool: (uid) => this.directory.pool(uid)?.ref,
      runTask: (uid, id, task, options) => this.pools.run(uid, id, task, options),
    });
    this.#callers = new Callers(this.slots, this.outbox, (uid) => this.directory.actor(uid));
    this.pools = new Pools(this, this.directory, events, logger);
    this.#tasks = new ActorTasks(this.outbox.codec, (uid, id, task, options) => this.pools.run(uid, id, task, options));
  }

  get all(): IterableIterator<ActorChild> {
    return this.directory.actors;
  }

  /** The actor a reference means, unless it is gone for good. */
  find(ref: { readonly uid: number }): ActorChild | undefined {
    return this.directory.actor(ref.uid);
  }

  /** What a reference means, unless it is gone for good: a key of a router, that member. */
  meantBy(ref: ActorRef | PoolRef): Referable | undefined {
    return this.directory.byUid(processOf(ref).uid);
  }

  /** Makes an actor; nothing of it runs before `start`. */
  create(spec: FullActorSpec, path: string, onExit: OnExit): ActorChild {
    checkHeapFlag(this.#heapFlag, path, spec.heapCapMb);
    const { mailbox } = spec;
    const slot = this.slots.allocate({
      capacity: mailbox.capacity,
      mailboxBytes: mailbox.capacityBytes,
      systemBytes: ACTOR_SYSTEM_BYTES,
      overflow: mailbox.overflow,
      blockTimeoutMs: mailbox.blockTimeoutMs,
      maxDeliveries: spec.maxDeliveries,
    });
    const ref = new ActorRef(this.outbox, slot.address, slot.uid, path);
    const child = new ActorChild(spec, path, ref, slot, this, onExit);
    this.directory.addActor(child);
    return child;
  }

  /** From now on this one can be watched. Returns what ends that, and tells its watchers why. */
  welcome(uid: number, guest: Process): (reason: ExitReason) => void {
    this.#guests.set(uid, guest);
    const there = this.#guestsByPath.get(guest.id) ?? new Set();
    this.#guestsByPath.set(guest.id, there.add(guest));
    this.signals.started(guest);
    return (reason) => {
      if (!this.#guests.delete(uid)) return;
      there.delete(guest);
      if (there.size === 0) this.#guestsByPath.delete(guest.id);
      this.signals.ended(guest, reason)();
    };
  }

  /** Makes a router. Its members are made by `tree`. */
  createRouter(spec: FullRouterSpec, path: string, tree: TreeEnvironment, onExit: OnExit): RouterChild {
    const router = new RouterChild(spec, path, tree, this, onExit);
    this.directory.addRouter(router);
    return router;
  }

  /** Makes a pool; no thread of it runs before `start`. */
  createPool(spec: FullPoolSpec, path: string, onExit: OnExit): PoolChild {
    return this.pools.create(spec, path, uids.take(), onExit);
  }

  runTaskFor(child: ActorChild, message: Extract<ToMain, { type: "run_task" }>): void {
    this.#tasks.run(child, message);
  }

  abortTaskOf(child: ActorChild, request: number): void {
    this.#tasks.abort(child, request);
  }

  routerDisposed(router: RouterChild): void {
    this.directory.remove(router.slot.uid, router);
  }

  stats(uid: number): ActorStats | undefined {
    const child = this.directory.actor(uid);
    return child === undefined ? this.directory.router(uid)?.stats() : statsOf(child, this.names);
  }

  statsOf(found: Referable): ActorStats | RouterStats | PoolStats {
    return found instanceof ActorChild ? statsOf(found, this.names) : found.stats();
  }

  meters(): ActorMeters[] {
    return Array.from(this.all, (child) => metersOf(child, this.names));
  }

  identity(id: string): ActorIdentity | undefined {
    const child = this.directory.actorAt(id);
    return child === undefined ? undefined : identityOf(child);
  }

  onGone(listener: (last: ActorMeters) => void): () => void {
    this.#goneListeners.add(listener);
    return () => void this.#goneListeners.delete(listener);
  }

  gone(child: ActorChild): void {
    if (this.#goneListeners.size === 0) return;
    const last = metersOf(child, this.names);
    for (const listener of this.#goneListeners) {
      callSafely(
        () => listener(last),
        (error) => this.#logger.error({ id: child.id, err: error }, `a listener for the end of ${child.id} threw`),
      );
    }
  }

  get zombies(): { readonly now: number; readonly total: number } {
    return { now: this.#zombies.size, total: this.#zombies.count };
  }

  get unattributed(): { readonly mb: number; readonly reports: number } {
    return { mb: this.guard.unattributedMb, reports: this.#reports.unattributedReports };
  }

  get threads(): number {
    return this.#threads.count;
  }

  get deadLetters(): DeadLetters {
    return this.#deadLetters;
  }

  /** What is known of an actor that has just ended. */
  lastSeen(id: string): LastSeen {
    const child = this.directory.actorAt(id);
    return child === undefined ? {} : lastSeen(child, this.#threads.lastReading(child), this.names);
  }

  /** Settles whatever is still open on main. Every thread has ended. */
  close(errorOf: (id: string) => ActorError): void {
    clearInterval(this.#cycleTimer);
    this.guard.close();
    this.logs.close();
    this.#fullMailboxes.close();
    void this.spares.close();
    this.outbox.close(errorOf);
  }

  nextOwnerId(): number {
    // A lock is a word, where one more would be 0 in the end, and main's own before that.
    do {
      this.#ownersWentRound ||= this.#lastOwnerId >= MAX_OWNER_ID;
      this.#lastOwnerId = this.#lastOwnerId >= MAX_OWNER_ID ? FIRST_OWNER_ID : this.#lastOwnerId + 1;
    } while (this.#ownersWentRound && this.#threads.has(this.#lastOwnerId));
    return this.#lastOwnerId;
  }

  takeMessages(): void {
    this.#threads.takeMessages();
  }

  threadStarted(thread: ActorThread, child: ActorChild): void {
    this.preparing.delete(thread);
    this.#threads.started(thread, child);
  }

  threadExited(thread: ActorThread, child: ActorChild, slot: Slot): void {
    this.#tasks.abandon(child);
    this.#threads.exited(thread, child, slot);
    this.#parcels.senderExited(thread.ownerId);
    this.#parcels.forget(child.slot.uid, "claims");
  }

  threadAbandoned(thread: ActorThread, child: ActorChild, reason: ExitReason): void {
    this.#threads.abandoned(thread, child, reason);
  }

  relocate(slot: Slot): Slot {
    return this.slots.relocate(slot, this.producer);
  }

  upgraded({ id, incarnation }: ActorChild, { fromVersion, version }: UpgradeReport): void {
    const at = performance.now();
    this.#events.emit({
      event: "actor_upgraded",
      id,
      at,
      incarnation,
      fromVersion,
      ...(version === undefined ? {} : { version }),
    });
    this.#logger.info({ id, incarnation, fromVersion, version }, `${id} upgraded`);
  }

  lifeStarted(child: ActorChild | RouterChild): void {
    this.signals.started(child, child.type === "supervisor");
  }

  lifeEnded(child: ActorChild | RouterChild, reason: ExitReason): () => void {
    return this.signals.ended(child, reason);
  }

  disposed(child: ActorChild): void {
    this.directory.remove(child.slot.uid, child);
    this.#parcels.forget(child.slot.uid, "all");
    this.logs.forget(child.id);
    this.#fullMailboxes.forget(child);
  }

  claimName(holder: ActorChild | RouterChild, name: string | undefined): void {
    if (name !== undefined) this.#registry.claim(name, holder);
  }

  releaseName(holder: ActorChild | RouterChild, name: string | undefined): void {
    if (name !== undefined) this.#registry.release(name, holder);
  }

  whereis(name: string): ActorRef | undefined {
    return this.#registry.whereis(name)?.ref;
  }

  signal(child: ActorChild, request: SignalRequest): void {
    this.signals.handle(child, request);
  }

  notifyCallers(slot: Slot, reason: ExitReason, consumedBefore: number, closed: boolean): void {
    this.#callers.notify(slot, reason, consumedBefore, closed);
  }

  heed(notice: Notice): void {
    switch (notice.type) {
      case "parcel":
        return this.#parcels.add(notice.uid, notice.parcel);
      case "parcel_lost":
        return this.#parcels.discard(notice.owner, notice.number);
      case "mailbox_full": {
        const child = this.directory.actor(notice.uid);
        if (child !== undefined) this.#fullMailboxes.found(child, notice.method);
        return;
      }
      case "dropped":
        return this.#deadLetters.add(notice.id, notice.method, "dropped");
      case "detour":
        return this.#callers.detour(notice);
    }
  }

  claim(child: ActorChild, owner: number, number: number): void {
    this.claimParcel(child.slot.uid, owner, number, child.spec.maxDeliveries > 1, (parcel) => {
      const none = (): void => child.post({ type: "parcel", parcel: null });
      if (parcel === null) none();
      else
        handOver(
          parcel.transferred,
          (list) => child.post({ type: "parcel", parcel: { ...parcel, transferred: list } }, list),
          none,
        );
    });
  }

  /** Hands a parcel to whom its placeholder was for; `keep` it for a second delivery. */
  claimParcel(uid: number, owner: number, number: number, keep: boolean, take: (parcel: Parcel | null) => void): void {
    const senderLives = owner === this.producer.ownerId || this.#threads.has(owner);
    this.#parcels.claim(uid, owner, number, senderLives, keep, take);
  }

  undelivered(id: string, messages: readonly Undelivered[], reason: ExitReason): void {
    for (const { method, methodText, attempts, parcel } of messages) {
      if (parcel !== undefined) this.#parcels.discard(...parcel);
      this.#deadLetters.add(id, methodText ?? this.names.name(method), attempts > 0 ? "in_flight" : "queued", reason);
    }
  }

  unhandled(id: string, method: string, detail: string): void {
    this.#deadLetters.add(id, method, "unhandled", undefined, detail);
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

  #guestAt(path: string): Process | undefined {
    const [first] = this.#guestsByPath.get(path) ?? [];
    return first;
  }

  /** Takes in what is counted, before it wraps. */
  #round(): void {
    // If an actor slept since the last round, its counters did not move and it is in no circle.
    if (this.guard.quietMs > 2 * CYCLE_CHECK_MS) return;
    this.#rounds++;
    const stirring: ActorChild[] = [];
    for (const child of this.all) {
      const { words } = child.slot.memory;
      // A sleeper costs no more than this look at it.
      const isQuiet = child.totals.isQuiet(words);
      if (!isQuiet || (child.slot.uid + this.#rounds) % ROUNDS_FOR_ALL === 0) child.totals.read(child.mailbox, words);
      if (!isQuiet) stirring.push(child);
    }
    this.#cycles.check(stirring);
  }
}
