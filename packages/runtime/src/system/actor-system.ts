/*
 * Over 350 lines, because it is the whole of what a user administers a system by: one method for each, short, with its
 * docstring, from which the API reference is made. The work is done in other files.
 */
import { channel } from "node:diagnostics_channel";
import type { Profiler } from "node:inspector";
import type { Readable } from "node:stream";
import { loadTelemetry } from "@mini-otp/worker-host/protocol/calls";
import {
  ActorError,
  type ExitReason,
  invalidOption,
  showValue,
  withCaller,
} from "@mini-otp/worker-host/protocol/errors";
import { aFunction, MAX_TIMER_MS, numberFrom, takeArgument, text } from "@mini-otp/worker-host/protocol/options";
import { GUARD_HOOK } from "@mini-otp/worker-host/protocol/port";
import {
  ActorRef,
  checkedReference,
  type MemberResult,
  type PoolRef,
  type RefOf,
} from "@mini-otp/worker-host/protocol/refs";
import { ActorChild } from "../actor/actor-child.js";
import { Development } from "../dev/development.js";
import { type OfEach, References, type StatsOf } from "../directory/references.js";
import { normaliseGuard } from "../guard/guard-options.js";
import { healthOf, type SystemHealth } from "../introspection/health.js";
import { MergedTrace } from "../introspection/merged-trace.js";
import { type TraceEvent, type TraceOptions, takeTraceOptions } from "../introspection/trace.js";
import { type TreeNode, treeOf } from "../introspection/tree.js";
import { DeadLetters } from "../messaging/dead-letters.js";
import { isLightReference } from "../partitions/light-actors.js";
import { upgradeOf } from "../partitions/supervisor-upgrade.js";
import { type EventName, Events, type LogLine, type StreamedEvent, type SystemEvents } from "../reporting/events.js";
import { LastFailures } from "../reporting/giving-up.js";
import { Log } from "../reporting/log.js";
import { readLogVariables } from "../reporting/log-variables.js";
import type { Logger } from "../reporting/logger.js";
import { ReportLog } from "../reporting/report-log.js";
import { ResourceChild } from "../resource/resource-child.js";
import type { Down } from "../signals/process-signals.js";
import type { ActorStats } from "../stats/actor-stats.js";
import type { PoolStats } from "../stats/pool-stats.js";
import type { SupervisorInfo } from "../supervision/administration.js";
import type { OnExit, StopOutcome } from "../supervision/child.js";
import {
  type ChildSpec,
  type ExactChildren,
  type FullActorSpec,
  type FullPartitionedSpec,
  type FullPoolSpec,
  type FullResourceSpec,
  type FullRouterSpec,
  type ResourceContext,
  supervisor,
} from "../supervision/child-spec.js";
import { type Clock, systemClock } from "../supervision/clock.js";
import { type Deferred, deferred } from "../supervision/deferred.js";
import { aModule, resolveModule } from "../supervision/module-url.js";
import { normaliseRoot } from "../supervision/normalise-spec.js";
import type {
  PartitionedSupervisor,
  PartitionedSupervisorRef,
  UpgradedPartition,
} from "../supervision/partitioned-ref.js";
import type { RestartBudget, SupervisionReport } from "../supervision/report.js";
import { startError } from "../supervision/start-error.js";
import type { TreeEnvironment } from "../supervision/supervision-loop.js";
import { createRootSupervisor, type LeafSpec } from "../supervision/supervision-tree.js";
import type { SupervisorProcess } from "../supervision/supervisor-process.js";
import type { DynamicSupervisorRef, SupervisorRef } from "../supervision/supervisor-ref.js";
import { Actors } from "./actors.js";
import type { LightMeters, Meters, SupervisorMeters } from "./meters.js";
import { takeEventsOptions, takeStopOptions, takeSystemOptions, takeUpgradeOptions } from "./system-option-fields.js";
import type { StopOptions, StopReport, SystemOptions, SystemStats, UpgradeOptions } from "./system-options.js";

/** What a system takes from the machine it runs on, and a test may give it instead. */
export interface Dependencies {
  /** For restart windows, backoff and the deadline of `stop`. */
  readonly clock: Clock;
  /** A number in [0, 1), for the jitter of backoff. */
  readonly random: () => number;
  /** The root has given up: the process is to end with an exit code that says so. */
  readonly failProcess: () => void;
}

const MACHINE: Dependencies = {
  clock: systemClock,
  random: Math.random,
  failProcess: () => {
    process.exitCode ??= 1;
  },
};

/** How long an actor may take to notice a request of main's, in ms: it does so between two messages. */
const CONTROL_TIMEOUT_MS = 5000;
/** A full heap of 64 MiB takes about a second to write down; with eight busy processes beside it, ten. */
const SNAPSHOT_TIMEOUT_MS = 30_000;
/** Beyond the time that is profiled. An answer that the inspector loses ends by it. */
const PROFILE_TIMEOUT_MS = 10_000;
/** For tools that watch every system of a process without being given each, such as an observer. */
const SYSTEM_STARTED = channel("mini-otp:system_started");
/** What is left to the others when the process is given up. */
const GIVE_UP_TIMEOUT_MS = 5000;

/** A running system: the root supervisor and everything under it. */
export class ActorSystem<C extends readonly ChildSpec[] = any> implements SupervisorRef<C> {
  static readonly #ofResource = new WeakMap<ResourceContext, ActorSystem>();

  readonly name: string;
  /**
   * Resolves with the root's exit reason once everything has ended. When the root has given up there is one fatal
   * record in the log, and `process.exitCode` is 1 unless it was set.
   */
  readonly terminated: Promise<ExitReason>;
  /** Where the system logs. */
  readonly logger: Logger;
  readonly #log: Log;
  readonly #events: Events;
  readonly #reportLog: ReportLog;
  readonly #actors: Actors;
  readonly #development: Development | undefined;
  readonly #references: References;
  readonly #root: SupervisorProcess;
  readonly #clock: Clock;
  readonly #lastFailures: LastFailures;
  readonly #failProcess: () => void;
  readonly #gaveUp: Deferred<string> = deferred();
  #started = false;
  readonly #stopHooks = new Set<() => () => Promise<void>>();
  #hasGivenUp = false;
  #stopping: Promise<StopReport> | undefined;
  #ended = false;
  readonly #terminated: Deferred<ExitReason> = deferred();

  /** As of the root: see `SupervisorRef`. */
  readonly startChild: SupervisorRef["startChild"] = (spec: any): Promise<any> => this.#root.ref.startChild(spec);

  /** As of the root: see `SupervisorRef`. */
  readonly restartChild: SupervisorRef<C>["restartChild"] = (id: any): Promise<any> => this.#root.ref.restartChild(id);

  /** As of the root: see `SupervisorRef`. */
  readonly child: SupervisorRef<C>["child"] = (id: any): any => this.#root.ref.child(id);

  private constructor(
    { name = "mini-otp", logger: given, guard, dev, spares = 2, callTimeoutMs, ...flags }: SystemOptions,
    { clock, random, failProcess }: Dependencies,
  ) {
    this.name = name;
    this.#clock = clock;
    this.terminated = this.#terminated.promise;
    this.#failProcess = failProcess;
    const variables = readLogVariables(process.env);
    const logger = new Log(given, name, variables);
    this.#log = logger;
    this.logger = logger.logger;
    this.#events = new Events(logger);
    this.#reportLog = new ReportLog(logger, systemClock, logger.reasons);
    this.#actors = new Actors(
      clock,
      logger,
      new DeadLetters(this.#events, logger),
      this.#events,
      normaliseGuard(guard),
      spares,
      () => {
        void this.#giveUpProcess();
      },
      callTimeoutMs,
    );
    if (dev?.watch === true) {
      this.#development = new Development({ directory: this.#actors.directory, events: this.#events, logger });
    }
    const spec = normaliseRoot(supervisor({ ...flags, id: "root" }));
    this.#lastFailures = new LastFailures(spec.id, logger.reasons);
    this.#references = new References(
      (ref) => this.#actors.meantBy(ref),
      this.#actors.lights,
      () => this.#actors.outbox.whyGone,
    );
    this.#root = createRootSupervisor(
      spec,
      {
        clock,
        random,
        createChild: (child, path, onExit, tree) => this.#createChild(child, path, onExit, tree),
        report: (report, budget) => this.#report(report, budget),
        failed: (id, error) => logger.error({ actor: id, err: error }, `${id}: a step of its supervision failed`),
      },
      (reason) => this.#end(reason),
    );
  }

  /** @internal For the testing kit. */
  static actorsOf(system: ActorSystem): Actors {
    return system.#actors;
  }

  /**
   * @internal Called once, before the first thing that `stop` ends. What it returns is called when all actors have ended,
   * and waited for: it sees to it that it ends.
   */
  static beforeStop(system: ActorSystem, hook: () => () => Promise<void>): void {
    system.#stopHooks.add(hook);
  }

  /** @internal The system in which a resource is started. */
  static ofResource(context: ResourceContext): ActorSystem | undefined {
    return ActorSystem.#ofResource.get(context);
  }

  /** @internal Where the runtime's own records go. */
  static logOf(system: ActorSystem): Log {
    return system.#log;
  }

  /** @internal Resolves with the words for it when the root gives up. */
  static gaveUp(system: ActorSystem): Promise<string> {
    return system.#gaveUp.promise;
  }

  /** @internal */
  static async start(options: SystemOptions = {}, dependencies: Dependencies = MACHINE): Promise<ActorSystem> {
    requireMain();
    const system = new ActorSystem(takeSystemOptions(options), dependencies);
    system.#actors.outbox.telemetry = await loadTelemetry();
    const outcome = await system.#root.start();
    if (outcome.kind === "failed") {
      system.#end(outcome.reason);
      throw withCaller(startError(system.id, "supervisor", outcome.reason), system.id, import.meta.url);
    }
    system.#started = true;
    SYSTEM_STARTED.publish({ event: "system_started", id: system.id, at: performance.now(), system });
    return system;
  }

  get id(): string {
    return this.#root.ref.id;
  }

  get flags(): SupervisorInfo {
    return this.#root.ref.flags;
  }

  terminateChild(id: string): Promise<void> {
    return this.#root.ref.terminateChild(id);
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

  recentRestarts(): ReturnType<SupervisorRef["recentRestarts"]> {
    return this.#root.ref.recentRestarts();
  }

  /** The whole supervision tree as it is now. */
  tree(): TreeNode {
    return treeOf(
      this.#root.ref,
      this.#ended ? "stopped" : "running",
      (ref) => (ref instanceof ActorRef ? this.#actors.census.stats(ref.uid) : undefined),
      (ref) => (ref instanceof ActorRef ? this.#actors.directory.actor(ref.uid)?.offspring.supervisor : undefined),
    );
  }

  /**
   * The supervisor of the children that an actor has started with `ctx.startChild`; undefined while it has none. Throws
   * ERR_NOPROC for an actor that is gone for good.
   */
  childrenOf(ref: ActorRef): DynamicSupervisorRef | undefined {
    const found = this.#references.find(ref, "childrenOf");
    return found instanceof ActorChild ? (found.offspring.supervisor as DynamicSupervisorRef | undefined) : undefined;
  }

  /**
   * Whether this process should be left running, and whether it should get work: what `/livez` and `/readyz` of the
   * observer answer. Reads shared memory and main's own notes, so it answers while actors hang. Never throws, also after the
   * system has stopped.
   */
  health(): SystemHealth {
    return healthOf({
      tree: this.tree(),
      gaveUp: this.#hasGivenUp,
      isStopping: this.#stopping !== undefined,
      guardMissedMs: this.#actors.guardMissedMs,
      fullForMs: this.#actors.mail.fullForMs(),
    });
  }

  /**
   * What is registered under `name`, an actor or a router, or undefined. `whereis<typeof X>(name)` is its reference with
   * the actor's type; `whereis<SupervisedRouterRef<typeof X>>(name)` that of a router, with all that a router can.
   */
  whereis<T = any>(name: string): RefOf<NoInfer<T>> | undefined {
    return this.#actors.whereis(takeArgument("whereis", "name", name, text)) as RefOf<T> | undefined;
  }

  /**
   * Calls `listener` once, when the current incarnation of the actor, router or pool has ended; soon and with `noproc`
   * when none runs. A router lives on while its members are restarted. Returns the function that ends the monitor.
   */
  monitor<R extends ActorRef | PoolRef>(ref: R, listener: (down: Down<R>) => void): () => void {
    return this.#actors.signals.watch(checkedReference(ref, "monitor"), listener);
  }

  /**
   * Sends an exit signal: the actor ends with this reason, or gets it as a message if it traps exits. `"kill"`
   * cannot be trapped and ends it as `killed`. Every member of a router gets it; a pool ends with all its threads.
   */
  exit(ref: ActorRef | PoolRef, reason: ExitReason | "kill"): void {
    this.#actors.signals.exit(checkedReference(ref, "exit"), reason);
  }

  /**
   * The actor's numbers, the router's (the sum of its members', and each one's), the pool's, or the whole system's. Throws
   * ERR_NOPROC for what is gone for good.
   */
  stats<R extends ActorRef | PoolRef>(ref: R): StatsOf<R>;
  stats(): SystemStats;
  stats(...given: [ref?: ActorRef | PoolRef]): ActorStats | PoolStats | SystemStats {
    // What is undefined by mistake is not the whole system.
    if (given.length === 0) return this.#systemStats();
    const [ref] = given;
    if (isLightReference(ref)) return ref.stats();
    return this.#actors.census.statsOf(this.#references.find(ref, "stats"));
  }

  /** What metrics read. */
  get meters(): Meters {
    const actors = this.#actors;
    return {
      actors: () => actors.census.meters(),
      supervisors: () => supervisorsUnder(this.#root.ref),
      pools: () => actors.pools.meters(),
      actor: (id) => actors.census.identity(id),
      deadLetters: () => actors.deadLetters.byCause,
      onGone: (listener) => actors.census.onGone(takeArgument("onGone", "listener", listener, aFunction)),
    };
  }

  /**
   * From now on user messages wait; everything else goes on. Resolves once the actor has noticed, between two messages.
   * Of a router, every member is suspended; rejects with the first failure, when all have been told.
   */
  async suspend(ref: ActorRef): Promise<void> {
    await this.#references.tell(ref, "suspend", (actor) => actor.introspection.suspend(CONTROL_TIMEOUT_MS));
  }

  async resume(ref: ActorRef): Promise<void> {
    await this.#references.tell(ref, "resume", (actor) => actor.introspection.resume(CONTROL_TIMEOUT_MS));
  }

  /**
   * A copy of the actor's state, as it is between two messages. Rejects with ERR_NOT_CLONEABLE if it is no message value.
   * Of a router, what each member has answered, as `callAll` tells it.
   */
  async getState<R extends ActorRef>(ref: R): Promise<OfEach<R, any>> {
    return (await this.#references.ask(ref, "getState", (actor) =>
      actor.introspection.getState(CONTROL_TIMEOUT_MS),
    )) as OfEach<R, any>;
  }

  /** Puts a copy of `state` in the place of the actor's; of a router, one in the place of every member's, as `suspend`. */
  async replaceState(ref: ActorRef, state: unknown): Promise<void> {
    await this.#references.tell(ref, "replaceState", (actor) =>
      actor.introspection.replaceState(state, CONTROL_TIMEOUT_MS),
    );
  }

  /**
   * Tells of each message the actor handles, from now on and over its restarts: an async iterable, which ends when it is
   * left, `signal` is aborted, or the actor is gone for good. An actor that handles messages faster than they are taken
   * is not slowed down: events count those that are `missed`. Costs nothing while there is no trace. Throws ERR_NOPROC
   * for an actor that is gone, ERR_INVALID_OPTION. Of a router, the members that
   * there are now are traced as one.
   */
  trace(ref: ActorRef, options: TraceOptions = {}): AsyncIterableIterator<TraceEvent> {
    const traced = this.#references.traced(ref, "trace");
    const taken = takeTraceOptions(options);
    return Array.isArray(traced) ? new MergedTrace(traced.map((traces) => traces.open(taken))) : traced.open(taken);
  }

  /**
   * The actor's heap in V8's format, for the Memory panel of Chrome's DevTools. Its thread stands still meanwhile, and
   * needs memory for it. All of it is in main's memory when this resolves: it can be read whatever becomes of the actor.
   * With `isolation: "process"` it is the process's. An actor with `permissions` answers between two messages. Rejects with ERR_NOPROC, ERR_NOT_AN_ACTOR (a router: name a member), ERR_CALL_EXIT, or
   * ERR_CALL_TIMEOUT after 30 s, when the thread is in native code.
   */
  async heapSnapshot(ref: ActorRef): Promise<Readable> {
    return this.#references.actor(ref, "heapSnapshot").introspection.heapSnapshot(SNAPSHOT_TIMEOUT_MS);
  }

  /**
   * Where the time of the actor's thread, or process, goes in the next `ms`, whatever it does: a `.cpuprofile`, to be written to a
   * file as JSON.
   * Rejects as `heapSnapshot` does, with ERR_RUNNING while another profile of it is taken, with ERR_CALL_TIMEOUT 10 s after the profiled
   * time, and with an Error for an actor with `permissions`, because no inspector reaches it.
   */
  async cpuProfile(ref: ActorRef, ms: number): Promise<Profiler.Profile> {
    takeArgument("cpuProfile", "ms", ms, profileMs, true);
    return this.#references.actor(ref, "cpuProfile").introspection.cpuProfile(ms, PROFILE_TIMEOUT_MS);
  }

  /**
   * Replaces the actor's code while it lives: loads `module` in a second thread, hands the state through its
   * `codeChange`, and lets it take the mailbox over between two messages. No message is lost, none is handled twice;
   * the reference, the name, links, monitors, `ctx` timers and the incarnation stay. Later restarts use `module`.
   *
   * When it does not come to that the actor goes on with its old code, and this rejects with the reason: ERR_ACTOR_MODULE,
   * ERR_NOT_CLONEABLE (the state), ERR_INIT_FAILED (`cause` is what `codeChange` threw), ERR_INIT_TIMEOUT (not within
   * `timeoutMs`, by default the spec's `startTimeoutMs`), ERR_CALL_EXIT (the actor ended meanwhile), ERR_RUNNING (another
   * upgrade is under way), ERR_NOPROC. All but the first two have `stage`, how far it came.
   *
   * The members of a router are upgraded one after the other. If it fails for the first, the others are left alone and
   * this rejects; else it resolves to what became of each, as `callAll` tells it, and members that come later have the
   * new code.
   *
   * Of a supervisor with `threads`, the light actors that have the code of its template get other code, each between two of its
   * messages: in their threads, where their states stay as they are, and the partitions one after the other. When it fails
   * in the first, as it does for a module that does not load, nothing has changed and this rejects; else it resolves to
   * what became of each partition. `timeoutMs` is that of a partition; light actors that have not come to it go on as
   * before. Those that start later have the new code. ERR_NOT_AN_ACTOR when the template names none, and for one
   * light actor or one partition.
   */
  upgrade(
    supervisor: PartitionedSupervisorRef,
    module: URL | string,
    options?: UpgradeOptions,
  ): Promise<MemberResult<UpgradedPartition>[]>;
  upgrade<R extends ActorRef>(ref: R, module: URL | string, options?: UpgradeOptions): Promise<OfEach<R, void>>;
  async upgrade(ref: ActorRef | PartitionedSupervisorRef, module: URL | string, options: UpgradeOptions = {}) {
    const members = upgradeOf(ref);
    const found = members === undefined ? this.#references.actorOrRouter(ref, "upgrade") : { upgrade: members };
    const { timeoutMs } = takeUpgradeOptions(options);
    return found.upgrade(resolveModule(takeArgument("upgrade", "module", module, aModule)), timeoutMs);
  }

  /** Returns the function that takes the listener off again. */
  on<E extends EventName>(event: E, listener: (event: SystemEvents[E]) => void): () => void {
    return this.#events.on(event, listener);
  }

  /**
   * Every line that an actor logs, after the system's logger has had it. Returns the function that takes the listener
   * off again. What it throws is logged.
   */
  onLog(listener: (line: LogLine) => void): () => void {
    return this.#events.onLog(takeArgument("onLog", "listener", listener, aFunction));
  }

  /**
   * All events from this call on, in order: an async iterable, which ends when it is left, `signal` is aborted, or the
   * system has stopped, after `system_stopped`; at once when it has stopped already. 1 024 events may wait to be taken;
   * those that come then are counted, and the next one says how many are `missed`.
   */
  events(options: { signal?: AbortSignal } = {}): AsyncGenerator<StreamedEvent, void, undefined> {
    return this.#events.stream(takeEventsOptions(options).signal);
  }

  /**
   * Stops everything in order: each child refuses new messages, handles those it has accepted, runs `terminate`,
   * and is killed when its `shutdown` or its share of `timeoutMs` is over. May be called at any time, and again: all
   * calls resolve to the same report, and the earliest deadline is the one that holds. Afterwards the process can
   * end by itself. Rejects with ERR_INVALID_OPTION: a `timeoutMs` that is no number from 0 on, a `reason` that is no exit
   * reason, an option that does not exist.
   */
  async stop(options: StopOptions = {}): Promise<StopReport> {
    const { timeoutMs, reason } = takeStopOptions(options);
    const farewells = this.#stopping === undefined ? Array.from(this.#stopHooks, (hook) => hook()) : [];
    const stopped = this.#stopRoot(timeoutMs, reason);
    this.#stopping ??= this.#whenStopped(stopped, farewells);
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #stopRoot(timeoutMs: number, reason: ExitReason): Promise<StopOutcome> {
    const deadline = timeoutMs === Infinity ? {} : { deadlineAt: this.#clock.now() + timeoutMs };
    return this.#root.stop({ reason, shutdown: "infinity", restarting: false, ...deadline });
  }

  async #whenStopped(stopped: Promise<StopOutcome>, farewells: readonly (() => Promise<void>)[]): Promise<StopReport> {
    // No thread of the system's outlives its stop: Node's own way out joins threads that are still being torn down.
    // Spares are not needed any more, so their end costs none of the time that is left.
    const [outcome] = await Promise.all([stopped, this.#actors.spares.close()]);
    await Promise.allSettled(farewells.map((farewell) => farewell()));
    this.#end(outcome.reason);
    return { ...outcome, children: outcome.children ?? [] };
  }

  /** A thread that nothing can end is all that is left of the process's use. */
  async #giveUpProcess(): Promise<void> {
    await this.stop({ timeoutMs: GIVE_UP_TIMEOUT_MS });
    process.exit(process.exitCode ?? 1);
  }

  #report(report: SupervisionReport, budget: RestartBudget | undefined): void {
    const ended = report.event === "actor_exited" || report.event === "child_start_failed";
    const event = ended ? { ...report, ...this.#actors.census.lastSeen(report.id) } : report;
    this.#reportLog.add(event, budget);
    this.#events.emit(event);
    this.#lastFailures.add(report, this.flags.periodMs);
    if (report.event === "supervisor_escalated" && report.id === this.id) this.#rootGaveUp();
  }

  /** A start that fails is told by its rejection. */
  #rootGaveUp(): void {
    if (!this.#started) return;
    this.#hasGivenUp = true;
    const text = this.#lastFailures.tell(this.#log, this.recentRestarts());
    this.#failProcess();
    this.#gaveUp.resolve(text);
  }

  /** Everything under the root has ended. */
  #end(reason: ExitReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#root.dispose();
    this.#development?.close();
    this.#reportLog.close();
    this.#actors.close((id) => new ActorError("ERR_SYSTEM_STOPPED", `id=${id}: the system has stopped`, { id }));
    this.#events.emit({ event: "system_stopped", id: this.id, at: performance.now(), reason });
    this.#terminated.resolve(reason);
  }

  #createChild(spec: LeafSpec, path: string, onExit: OnExit, tree: TreeEnvironment) {
    switch (spec.kind) {
      case "actor":
        return this.#actors.create(spec as FullActorSpec, path, onExit, tree);
      case "dynamic_supervisor":
        return this.#actors.createPartitioned(spec as FullPartitionedSpec, path, tree, onExit);
      case "router":
        return this.#actors.createRouter(spec as FullRouterSpec, path, tree, onExit);
      case "pool":
        return this.#actors.createPool(spec as FullPoolSpec, path, onExit);
      case "resource":
        return new ResourceChild(this.#ownResource(spec as FullResourceSpec), path, this.#clock, this.#log, onExit);
    }
  }

  #ownResource(spec: FullResourceSpec): FullResourceSpec {
    const start: FullResourceSpec["start"] = (context) => {
      ActorSystem.#ofResource.set(context, this);
      return spec.start(context);
    };
    return { ...spec, start };
  }

  #systemStats(): SystemStats {
    const { threads, spares, deadLetters, zombies, unattributed, directory } = this.#actors;
    return {
      actors: directory.actorCount,
      threads,
      spares: { count: spares.count, ready: spares.ready, limit: spares.limit },
      deadLetters: deadLetters.count,
      zombies,
      logLinesLost: this.#log.lost,
      unattributed,
    };
  }
}

function supervisorsUnder(supervisor: SupervisorRef): SupervisorMeters[] {
  const { id } = supervisor;
  const restarts = supervisor.recentRestarts();
  // Light actors are no supervisors, and may be a hundred thousand.
  if ("partitions" in supervisor) return [{ id, restarts, light: lightIn(supervisor as never) }];
  const below = supervisor.whichChildren().filter(({ type }) => type === "supervisor");
  return [{ id, restarts }, ...below.flatMap(({ ref }) => supervisorsUnder(ref as SupervisorRef))];
}

function lightIn(supervisor: PartitionedSupervisor): LightMeters {
  const sum = { type: "", members: 0, ended: 0, crashed: 0, handled: 0, queued: 0 };
  for (const { type, members, ended, handled, queued } of supervisor.partitions()) {
    sum.type = type;
    sum.members += members;
    sum.handled += handled;
    sum.queued += queued;
    for (const [kind, count] of Object.entries(ended)) {
      sum.ended += count;
      if (kind !== "normal" && kind !== "shutdown") sum.crashed += count;
    }
  }
  return sum;
}

/** With the time that it takes to be set up it must be no longer than a timer. */
const profileMs = numberFrom(Number.MIN_VALUE, MAX_TIMER_MS - PROFILE_TIMEOUT_MS, "milliseconds, more than 0");

/** A system's threads and memory would all be on the account of the actor in whose thread it is. */
function requireMain(): void {
  if (!(Symbol.for(GUARD_HOOK) in globalThis)) return;
  throw new ActorError(
    "ERR_WRONG_THREAD",
    "startSystem in an actor: start children from main, and send it their references",
  );
}

/** @internal Throws ERR_INVALID_OPTION for what is no system. A promise of one is the usual mistake. */
export function requireSystem(what: string, system: unknown): asserts system is ActorSystem {
  const isPromise = isPromiseLike(system);
  if (!isPromise && isSystem(system)) return;
  const allowed = `a system: what startSystem resolves to${isPromise ? ", awaited" : ""}`;
  const facts = { function: what, field: "system", value: system, allowed };
  throw invalidOption(`${what}: system=${showValue(system)}, must be ${allowed}`, facts);
}

function isPromiseLike(value: unknown): boolean {
  try {
    return typeof (value as PromiseLike<unknown> | null)?.then === "function";
  } catch {
    return false;
  }
}

/** By what it can do: another copy of this package makes systems, too. */
function isSystem(value: unknown): boolean {
  try {
    const { on, stop, terminated } = value as Partial<ActorSystem>;
    return typeof on === "function" && typeof stop === "function" && typeof terminated?.then === "function";
  } catch {
    return false;
  }
}

/**
 * Starts a system with these children. Rejects as `startChild` does; then nothing is left running. In an actor's
 * thread it rejects with ERR_WRONG_THREAD. The system's type keeps those of its children: see `system.child`.
 */
export function startSystem<const C extends readonly ChildSpec[] = readonly ChildSpec[]>(
  options: Omit<SystemOptions, "children"> & { readonly children?: (C & ExactChildren<C>) | undefined } = {},
): Promise<ActorSystem<C>> {
  return ActorSystem.start(options);
}
