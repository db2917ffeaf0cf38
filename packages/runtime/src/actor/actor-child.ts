import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { STATE_CLOSED, STATE_OPEN } from "@mini-otp/worker-host/protocol/memory";
import type { LastWords, MembersNews, ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import type { ActorRef, Transferable } from "@mini-otp/worker-host/protocol/refs";
import { encodeForeign } from "@mini-otp/worker-host/protocol/values";
import type { MemorySample } from "../guard/heap-judgement.js";
import type { GuardStats } from "../guard/watched.js";
import { ActorMeter } from "../introspection/actor-meter.js";
import { ActorTraces } from "../introspection/actor-traces.js";
import type { Introspection } from "../introspection/introspection.js";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "../supervision/child.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import type { TreeEnvironment } from "../supervision/supervision-loop.js";
import { moduleName } from "../threads/actor-module.js";
import type { ActorThread } from "../threads/actor-thread.js";
import type { ProcessMeter } from "../threads/process-meter.js";
import type { Reloadable, Reloaded } from "../threads/reloadable.js";
import { ThreadSource } from "../threads/thread-source.js";
import type { ActorHost } from "./actor-host.js";
import { ActorLife } from "./actor-life.js";
import { ActorPlace } from "./actor-place.js";
import { Offspring } from "./offspring.js";

/** The stop of an actor that has children. */
interface FamilyStop {
  /** The latest, whose limit is the earliest. */
  request: StopRequest;
  /** The children have ended, and the actor itself is stopping. */
  isOwn: boolean;
  readonly outcome: Promise<StopOutcome>;
}

const NO_CALLS: readonly number[] = [];
const NOTHING_WITHIN = Object.freeze({ length: 0, bytes: 0 });

/** An actor as its supervisor sees it: a mailbox that stays, and incarnations that come and go. */
export class ActorChild implements Child<ActorRef>, Reloadable {
  readonly type = "worker";
  readonly ref: ActorRef;
  readonly id: string;
  readonly spec: FullActorSpec;
  /** The actor's type in metrics: the name of its module. */
  readonly kind: string;
  readonly meter: ActorMeter;
  readonly place: ActorPlace;
  readonly threads: ThreadSource;
  /** They outlive restarts. */
  readonly traces = new ActorTraces((message) => this.post(message));
  // From here to `within`: set for a partition, for its members. LivingActor says what each is.
  /** Who puts a saved change of its modules into it. */
  reloadedBy: Reloadable = this;
  onNews: (news: MembersNews) => void = () => {};
  onLastWords: (words: LastWords) => void = () => {};
  keptCallsOf: (callerUid: number) => readonly number[] = () => NO_CALLS;
  lastWords: (thread: ActorThread, reason: ExitReason | undefined) => Promise<void> | undefined = () => undefined;
  onTraced: (traced: Extract<ToMain, { type: "traced" }>) => void = () => {};
  onSample: (memory: MemorySample) => void = () => {};
  /** What waits in its members, past its ring. */
  within: () => { readonly length: number; readonly bytes: number } = () => NOTHING_WITHIN;
  readonly #host: ActorHost<ActorChild>;
  readonly #onExit: OnExit;
  /** The latest incarnation. Before the first `start` it is one that never begins. */
  #life: ActorLife<ActorChild>;
  #disposed = false;

  /** The children that the actor has started itself. They end before it does, and before it is restarted. */
  readonly offspring: Offspring;
  /** It has been asked to stop, or has ended by itself: it starts no children. */
  #isEnding = false;
  #stop: FamilyStop | undefined;

  constructor(
    spec: FullActorSpec,
    id: string,
    ref: ActorRef,
    slot: Slot,
    host: ActorHost<ActorChild>,
    onExit: OnExit,
    tree: TreeEnvironment,
  ) {
    this.spec = spec;
    this.id = id;
    this.ref = ref;
    this.kind = moduleName(spec.actor);
    this.meter = new ActorMeter(host.threads.epochMs, spec.isolation === "process");
    this.place = new ActorPlace(slot, host.threads);
    this.threads = new ThreadSource(host.threads, id, spec);
    this.#host = host;
    this.#onExit = onExit;
    this.offspring = new Offspring(id, tree, (reason) => this.#life.end(reason));
    this.#life = new ActorLife(0, this, host, onExit);
  }

  /** The actor moves to another slot when a thread has survived its kill. */
  get slot(): Slot {
    return this.place.slot;
  }

  get mailbox(): Mailbox {
    return this.place.mailbox;
  }

  get incarnation(): number {
    return this.#life.incarnation;
  }

  get running(): boolean {
    return this.#life.running;
  }

  get ownerId(): number {
    return this.#life.thread?.ownerId ?? 0;
  }

  get threadId(): number | undefined {
    return this.#life.thread?.threadId;
  }

  /** True between `suspend` and `resume`. A restart ends the suspension. */
  get suspended(): boolean {
    return this.running && this.introspection.suspended;
  }

  get introspection(): Introspection {
    return this.#life.introspection;
  }

  /** The process that runs the actor's module, if it has one. */
  get process(): ProcessMeter | undefined {
    return this.#life.thread?.process;
  }

  /** The guard's reading of the running thread. */
  get guardStats(): GuardStats | undefined {
    const { thread } = this.#life;
    return thread === undefined ? undefined : this.#host.threads.guard.stats(thread);
  }

  /** Reading it closes the mailbox to new messages. True once the actor has handled all messages it had accepted. */
  get drained(): boolean {
    if (this.mailbox.state === STATE_OPEN) this.mailbox.drain();
    return this.mailbox.isEmpty;
  }

  get queued(): number {
    return this.mailbox.counts().length;
  }

  /** Brings `meter` up to date with the counters in shared memory. */
  readMeter(): void {
    const { words } = this.place;
    this.meter.read(this.mailbox, words);
    const { thread } = this.#life;
    if (thread !== undefined) this.meter.time(thread, words, this.guardStats?.handlingMs ?? 0);
  }

  async reload(): Promise<Reloaded> {
    await this.upgrade(this.threads.module);
    return { upgraded: 1, kept: 0 };
  }

  start(incarnation: number): Promise<StartOutcome<ActorRef>> {
    this.#stop = undefined;
    this.#isEnding = false;
    // Those that an `init` has started which failed.
    return this.offspring.isEmpty
      ? this.#begin(incarnation)
      : this.offspring.end().then(() => this.#begin(incarnation));
  }

  /** Starts a child of the running incarnation. Rejects as `startChild` of a supervisor does. */
  async startChild(spec: unknown): Promise<unknown> {
    const { id } = this;
    if (this.#isEnding) throw new ActorError("ERR_NOPROC", `id=${id} startChild: the actor is ending`, { id });
    return this.offspring.startChild(spec);
  }

  /** Ends the thread with this reason, and no handler can delay that. The supervisor sees an exit, not a stop. */
  kill(reason: ExitReason): void {
    this.#life.end(reason);
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    this.#isEnding = true;
    const stop = this.#stop;
    if (stop !== undefined) {
      stop.request = request;
      void this.offspring.end(ofChildren(request));
      if (stop.isOwn) void this.#life.stop(request);
      return stop.outcome;
    }
    if (this.offspring.isEmpty) return this.#life.stop(request);
    const outcome = this.#stopFamily(request);
    this.#stop = { request, isOwn: request.shutdown === "brutal_kill", outcome };
    return outcome;
  }

  /** The children first. When their parent is killed they are too, at the same time. */
  async #stopFamily(request: StopRequest): Promise<StopOutcome> {
    const ended = this.offspring.end(ofChildren(request));
    if (request.shutdown === "brutal_kill") {
      const [outcome, { children = [] }] = await Promise.all([this.#life.stop(request), ended]);
      return { ...outcome, children };
    }
    const { children = [] } = await ended;
    const stop = this.#stop as FamilyStop;
    stop.isOwn = true;
    return { ...(await this.#life.stop(stop.request)), children };
  }

  #begin(incarnation: number): Promise<StartOutcome<ActorRef>> {
    this.#life = new ActorLife(incarnation, this, this.#host, (reason) => this.#exited(reason));
    const outcome = this.#life.start();
    // An `init` that fails may have started some. The next start waits for their end.
    void outcome.then(({ kind }) => {
      if (kind !== "started") void this.offspring.end();
    });
    return outcome;
  }

  /** The incarnation has ended by itself. Its supervisor hears of it when its children have ended. */
  #exited(reason: ExitReason): void {
    this.#isEnding = true;
    if (this.offspring.isEmpty) {
      this.#onExit(reason);
      return;
    }
    void this.offspring.end().then(() => {
      // A stop that has come meanwhile tells its outcome instead.
      if (this.#stop === undefined) this.#onExit(reason);
    });
  }

  park(reason: ExitReason): void {
    this.#host.names.release(this, this.spec.name);
    this.#close(reason);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.traces.close();
    this.#host.names.release(this, this.spec.name);
    this.#close(this.#life.reason, () => {
      try {
        this.#host.names.gone(this);
      } finally {
        this.place.release();
      }
    });
    this.#host.names.disposed(this);
    this.#host.mail.forget(this);
    this.#host.threads.logs.forget(this.id);
  }

  /** Posts to the running thread. Does nothing when there is none. */
  post(message: ToActor, transfer?: readonly Transferable[]): void {
    this.#life.post(message, transfer);
  }

  /** Delivers a message to `info`, past the mailbox. */
  info(message: unknown): void {
    this.infos([message]);
  }

  infos(messages: readonly unknown[]): void {
    this.post({ type: "info", message: encodeForeign(this.#host.mail.outbox.codec, messages) });
  }

  /** Gives this incarnation and the next ones other code; see `ActorLife.upgrade`. */
  upgrade(module: URL | string, timeoutMs = this.spec.startTimeoutMs): Promise<void> {
    return this.#life.upgrade(module, timeoutMs);
  }

  /** Closes the mailbox: queued messages become dead letters, and their callers learn `reason`. */
  #close(reason: ExitReason, then = (): void => {}): void {
    this.mailbox.close();
    this.#whenSettled(() => {
      // A restart may have opened the mailbox again meanwhile.
      if (this.mailbox.state !== STATE_CLOSED || this.#life.thread !== undefined) return;
      const undelivered = this.mailbox.takeAll(this.#host.mail.producer);
      this.meter.lost.closed += undelivered.length;
      if (undelivered.length > 0) this.#host.mail.undelivered(this.id, undelivered, reason);
      this.#host.mail.notifyCallers(this.slot, reason, this.mailbox.nextSeq, true);
      then();
    });
  }

  /** Runs `then` once no producer is inside the mailbox; at once when none is. */
  #whenSettled(then: () => void): void {
    if (this.mailbox.settled) then();
    else setImmediate(() => this.#whenSettled(then));
  }
}

/** Each child has its own `shutdown`, within the time that the tree has. */
function ofChildren(request: StopRequest): StopRequest {
  const shutdown = request.shutdown === "brutal_kill" ? request.shutdown : "infinity";
  return { ...request, shutdown, restarting: false };
}
