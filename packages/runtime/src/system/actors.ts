import type { ActorError, ExitReason } from "@mini-otp/worker-host/protocol/errors";
import {
  DEFAULT_CALL_TIMEOUT_MS,
  handlingName,
  hrtimeMs,
  isCellAddress,
  MAIN_LOCK_PATIENCE_MS,
  NAME_TABLE_BYTES,
  NameTable,
  type Producer,
  setCallTimeout,
} from "@mini-otp/worker-host/protocol/memory";
import { ActorRef, type PoolRef, processOf } from "@mini-otp/worker-host/protocol/refs";
import { ActorChild } from "../actor/actor-child.js";
import type { ActorHost } from "../actor/actor-host.js";
import { Directory, type Referable } from "../directory/directory.js";
import { Guard } from "../guard/guard.js";
import type { FullGuardOptions } from "../guard/guard-options.js";
import { type GuardReports, guardListener } from "../guard/guard-reports.js";
import { checkHeapFlag, findHeapFlag } from "../guard/heap-flags.js";
import { platformGap } from "../guard/platform.js";
import { Zombies } from "../guard/zombies.js";
import { Slots } from "../mailbox/slots.js";
import { uids } from "../mailbox/uids.js";
import { CycleBreaker } from "../messaging/call-cycles.js";
import type { DeadLetters } from "../messaging/dead-letters.js";
import { MailRoom } from "../messaging/mail-room.js";
import { MainOutbox } from "../messaging/main-outbox.js";
import { LightActors } from "../partitions/light-actors.js";
import { PartitionedSupervisor } from "../partitions/partitioned-supervisor.js";
import type { PartitionsHost } from "../partitions/partitions-host.js";
import type { PoolChild } from "../pool/pool.js";
import { ActorLogs } from "../reporting/actor-logs.js";
import type { Events } from "../reporting/events.js";
import type { Log } from "../reporting/log.js";
import { RouterChild, type RouterHost } from "../router/router.js";
import type { Process, ProcessSignals } from "../signals/process-signals.js";
import type { OnExit } from "../supervision/child.js";
import type { FullActorSpec, FullPartitionedSpec, FullPoolSpec, FullRouterSpec } from "../supervision/child-spec.js";
import type { Clock } from "../supervision/clock.js";
import type { TreeEnvironment } from "../supervision/supervision-loop.js";
import { ActorThreads } from "../threads/actor-threads.js";
import { MAIN_OWNER_ID } from "../threads/owner-ids.js";
import { SpareThreads } from "../threads/spare-threads.js";
import { Census } from "./census.js";
import { NameRoom } from "./name-room.js";
import { Pools } from "./pools.js";
import { ThreadRoom } from "./thread-room.js";

const MAIN_MAILBOX_BYTES = 4096;
const MAIN_SYSTEM_BYTES = 1024 * 1024;
const ACTOR_SYSTEM_BYTES = 128 * 1024;
const MAX_LEARNT = 1024;
/** A circle is broken when it is seen for the second time: within twice this and an idle thread's sleep of 50 ms. */
const CYCLE_CHECK_MS = 250;

/** Makes the actors, routers and pools of a system, and wires the parts of main that serve them. Knows no supervisor. */
export class Actors {
  readonly slots: Slots;
  readonly names: NameTable;
  readonly outbox: MainOutbox;
  readonly mail: MailRoom;
  readonly census: Census;
  /** How long a call may take where neither the caller nor the spec says. */
  readonly callTimeoutMs: number;
  readonly pools: Pools;
  readonly directory = new Directory();
  readonly lights = new LightActors();
  readonly spares: SpareThreads;
  readonly deadLetters: DeadLetters;
  readonly log: Log;
  readonly events: Events;
  readonly #host: ActorHost<ActorChild>;
  readonly #routerHost: RouterHost;
  readonly #partitionsHost: PartitionsHost;
  readonly #names: NameRoom;
  readonly #guard: Guard;
  readonly #logs: ActorLogs;
  readonly #threads: ActorThreads<ActorChild>;
  readonly #zombies: Zombies;
  readonly #reports: GuardReports;
  readonly #learnt = new Set<string>();
  readonly #cycles = new CycleBreaker();
  readonly #cycleTimer = setInterval(() => this.#round(), CYCLE_CHECK_MS).unref();
  readonly #heapFlag = findHeapFlag(process.execArgv, process.env.NODE_OPTIONS);

  constructor(
    clock: Clock,
    logger: Log,
    deadLetters: DeadLetters,
    events: Events,
    guard: FullGuardOptions,
    spares: number,
    giveUpProcess: () => void,
    callTimeoutMs: number = DEFAULT_CALL_TIMEOUT_MS,
  ) {
    this.log = logger;
    this.events = events;
    this.callTimeoutMs = callTimeoutMs;
    const { directory } = this;
    const { headroomMb } = guard;
    if (this.#heapFlag !== undefined) {
      const { flag, limitMb } = this.#heapFlag;
      logger.warn({ flag, limitMb }, `${flag} is V8's limit for every actor; heapCapMb is enforced by the guard alone`);
    }
    const gap = platformGap(process.platform);
    if (gap !== undefined) logger.info({ platform: process.platform }, gap);
    const epochMs = hrtimeMs();
    const awake = new Int32Array(new SharedArrayBuffer(4));
    const producer: Producer = { ownerId: MAIN_OWNER_ID, lockPatienceMs: MAIN_LOCK_PATIENCE_MS, epochMs };
    this.deadLetters = deadLetters;
    this.#logs = new ActorLogs(logger, events);
    this.names = NameTable.create(NAME_TABLE_BYTES, producer);
    this.slots = new Slots((buffer) => this.#threads.post({ type: "segment", buffer }));
    const { slots, names } = this;

    this.spares = new SpareThreads(spares, (thread) => this.#guard.forget(thread));
    this.#zombies = new Zombies(guard, logger, events, giveUpProcess);
    const methodName = (words: Int32Array): string => handlingName(names, words);
    this.#reports = guardListener(logger, events, this.#zombies, methodName, guard.onUnattributed, giveUpProcess);
    this.#guard = new Guard(guard, this.#reports);
    this.#threads = new ActorThreads({ slots, names, awake }, this.#guard, this.#zombies, this.spares);
    this.census = new Census(directory, names, (actor) => this.#threads.lastStats(actor), logger);

    this.outbox = new MainOutbox(mainSlot(slots), slots, names, producer, awake, {
      handleNotice: (notice) => this.mail.handleNotice(notice),
      channelTo: (ownerId) => this.mail.channelTo(ownerId),
      takeStarts: () => this.#threads.takeStarts(),
      stats: (uid, address) =>
        isCellAddress(address) ? this.lights.stats({ uid, address, id: "" }) : this.census.stats(uid),
      ownRef: (uid) => directory.router(uid)?.ref,
      ownPool: (uid) => directory.pool(uid)?.ref,
      runTask: (uid, id, task, options) => this.pools.run(uid, id, task, options),
    });
    const { outbox } = this;
    this.mail = new MailRoom({
      slots,
      names,
      producer,
      outbox,
      deadLetters,
      events,
      actorBy: (uid) => directory.actor(uid),
      hasThread: (ownerId) => this.#threads.has(ownerId),
    });
    const { lights } = this;
    this.#names = new NameRoom({ directory, census: this.census, lights, outbox, events, logger });
    const parts = { clock, outbox, guard: this.#guard, headroomMb, signals: this.#names.signals };
    this.pools = new Pools(parts, directory, events, logger);
    const threads = new ThreadRoom({
      clock,
      slots,
      mail: this.mail,
      threads: this.#threads,
      guard: this.#guard,
      headroomMb,
      logs: this.#logs,
      epochMs,
      awake,
      runTask: (uid, id, task, options) => this.pools.run(uid, id, task, options),
    });
    this.#host = { threads, mail: this.mail, names: this.#names };
    this.#partitionsHost = {
      slots,
      outbox,
      events,
      logger,
      deadLetters,
      lights,
      find: (ref) => directory.actor(ref.uid),
      together: (task) => this.#names.signals.together(task),
      lightEnded: (key, { address, uid, id }, reason) =>
        this.#names.signals.lightEnded(key, { id, ref: new ActorRef(outbox, address, uid, id) }, reason),
    };
    this.#routerHost = {
      callTimeoutMs,
      slots,
      names,
      outbox,
      find: (ref) => directory.actor(ref.uid),
      claimName: (router, name) => this.#names.claim(router, name),
      releaseName: (router, name) => this.#names.release(router, name),
      lifeStarted: (router) => this.#names.lifeStarted(router),
      lifeEnded: (router, reason) => this.#names.lifeEnded(router, reason),
      routerDisposed: (router) => this.#names.disposed(router),
    };
  }

  get signals(): ProcessSignals {
    return this.#names.signals;
  }

  /** The process that a reference means, unless it is gone for good. A router's key means the router's member. */
  meantBy(ref: ActorRef | PoolRef): Referable | undefined {
    return this.directory.byUid(processOf(ref).uid);
  }

  whereis(name: string): ActorRef | undefined {
    return this.#names.whereis(name);
  }

  /** Has `find` answer for names that this system does not have. */
  findNamesBy(find: ((name: string) => ActorRef | undefined) | undefined): void {
    this.#names.findElsewhere = find;
  }

  /**
   * A method that no definition of this process has, because its actor is on another node. Its number makes messages
   * cheaper; senders that make up names get no more than so many.
   */
  learnName(method: string): void {
    if (this.#learnt.size >= MAX_LEARNT || this.#learnt.has(method)) return;
    this.#learnt.add(method);
    this.names.enter([method]);
  }

  /** Makes an actor; nothing of it runs before `start`. `tree` is for children that it starts itself. */
  create(spec: FullActorSpec, path: string, onExit: OnExit, tree: TreeEnvironment): ActorChild {
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
    setCallTimeout(slot.memory.words, spec.callTimeoutMs ?? this.callTimeoutMs);
    const ref = new ActorRef(this.outbox, slot.address, slot.uid, path);
    const child = new ActorChild(spec, path, ref, slot, this.#host, onExit, tree);
    this.directory.addActor(child);
    return child;
  }

  /** Makes a router. Its members are made by `tree`. */
  createRouter(spec: FullRouterSpec, path: string, tree: TreeEnvironment, onExit: OnExit): RouterChild {
    const router = new RouterChild(spec, path, tree, this.#routerHost, onExit);
    this.directory.addRouter(router);
    return router;
  }

  /** Makes a supervisor of light actors. Its partitions are made by `tree`. */
  createPartitioned(
    spec: FullPartitionedSpec,
    path: string,
    tree: TreeEnvironment,
    onExit: OnExit,
  ): PartitionedSupervisor {
    return new PartitionedSupervisor(spec, path, tree, this.#partitionsHost, onExit);
  }

  /** Makes a pool; no thread of it runs before `start`. */
  createPool(spec: FullPoolSpec, path: string, onExit: OnExit): PoolChild {
    return this.pools.create(spec, path, uids.take(), onExit);
  }

  /** Makes an external process known. Returns the function that ends it and tells its watchers. */
  attach(uid: number, process: Process): (reason: ExitReason) => void {
    return this.#names.attach(uid, process);
  }

  /** The reference to an external process of this system; undefined for what stands for one of another node. */
  attached(uid: number): ActorRef | undefined {
    return this.#names.attached(uid);
  }

  get zombies(): { readonly now: number; readonly total: number } {
    return { now: this.#zombies.size, total: this.#zombies.count };
  }

  get unattributed(): { readonly mb: number; readonly reports: number } {
    return { mb: this.#guard.unattributedMb, reports: this.#reports.unattributedReports };
  }

  get threads(): number {
    return this.#threads.count;
  }

  /** See `Guard.missedMs`. */
  get guardMissedMs(): number {
    return this.#guard.missedMs;
  }

  /** Settles everything that is still open on main. Every thread has ended. */
  close(errorOf: (id: string) => ActorError): void {
    clearInterval(this.#cycleTimer);
    this.#guard.close();
    this.#logs.close();
    this.mail.close();
    void this.spares.close();
    this.outbox.close(errorOf);
  }

  #round(): void {
    // If an actor slept since the last round, its counters did not move and it is in no circle.
    if (this.#guard.quietMs > 2 * CYCLE_CHECK_MS) return;
    this.#cycles.check(this.census.takeRound());
  }
}

function mainSlot(slots: Slots): ReturnType<Slots["allocate"]> {
  return slots.allocate({
    capacity: 1,
    mailboxBytes: MAIN_MAILBOX_BYTES,
    systemBytes: MAIN_SYSTEM_BYTES,
    overflow: "reject",
    blockTimeoutMs: 0,
    maxDeliveries: 1,
  });
}
