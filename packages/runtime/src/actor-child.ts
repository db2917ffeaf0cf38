import type { Profiler } from "node:inspector";
import type { Readable } from "node:stream";
import {
  ACTIVE,
  ActorError,
  type ActorRef,
  BLOCKED_ON,
  decodeReason,
  type ExitReason,
  encoded,
  encodeForeign,
  HANDLING,
  INCARNATION,
  type InitData,
  KILLED,
  LOG_TAKEN,
  PARKED,
  type Parcel,
  type Producer,
  payloadOf,
  SHUTDOWN,
  SLOT_HEADER_WORDS,
  STATE_CLOSED,
  STATE_OPEN,
  type ToActor,
  type ToMain,
  type Transferable,
} from "@mini-otp/worker-host/protocol";
import type { ActorLogs, LogSource } from "./actor-logs.js";
import { moduleCandidates, moduleName } from "./actor-module.js";
import {
  ActorThread,
  definedOnly,
  HAS_HEAP_STATISTICS,
  type ThreadListener,
  type ThreadOptions,
} from "./actor-thread.js";
import { ActorTotals, type LossCause } from "./actor-totals.js";
import { modulesWithin } from "./comlink-actor.js";
import { ControlRequests } from "./control-requests.js";
import { cpuProfile } from "./cpu-profile.js";
import type { Guard, GuardReading } from "./guard/guard.js";
import { permissionFlags } from "./guard/permissions.js";
import { Mailbox, type Undelivered } from "./mailbox.js";
import type { MainOutbox } from "./main-outbox.js";
import type { SignalRequest } from "./process-signals.js";
import type { Slot, Slots } from "./slots.js";
import { type SpareThreads, spareKey } from "./spare-threads.js";
import type { StartGate, StartTurn } from "./start-gate.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "./supervision/child.js";
import type { FullActorSpec } from "./supervision/child-spec.js";
import type { Clock } from "./supervision/clock.js";
import { demandMs } from "./supervision/stop-budget.js";
import { Trace, type TraceOptions } from "./trace.js";
import { Upgrade, type UpgradeReport } from "./upgrade.js";

/** What an actor's child asks of its system. */
export interface ActorHost {
  readonly slots: Slots;
  readonly outbox: MainOutbox;
  readonly epochMs: number;
  readonly spares: SpareThreads;
  readonly startGate: StartGate;
  /** One word: how many actors' threads do not sleep. */
  readonly awake: Int32Array;
  /** Threads that are to be actors, and have to know of new segments. */
  readonly preparing: Set<ActorThread>;
  /** Main, where it takes part in the rings' protocol. */
  readonly producer: Producer;
  readonly guard: Guard;
  /** How far V8's limit is above an actor's heap cap. */
  readonly headroomMb: number;
  /** What `deadlineAt` is told by. */
  readonly clock: Clock;
  nextOwnerId(): number;
  /** Takes in what all threads have said so far. */
  takeMessages(): void;
  /** A thread has started or gone. */
  threadStarted(thread: ActorThread, child: ActorChild): void;
  /** `slot` is the one it consumed. */
  threadExited(thread: ActorThread, child: ActorChild, slot: Slot): void;
  /** A thread has survived its kill. */
  threadAbandoned(thread: ActorThread, child: ActorChild, reason: ExitReason): void;
  relocate(slot: Slot): Slot;
  /** Tells everyone who ever called this actor that what it consumed so far is not answered any more. */
  notifyCallers(slot: Slot, reason: ExitReason, consumedBefore: number, closed: boolean): void;
  /** Other code runs in the same incarnation now. */
  upgraded(child: ActorChild, report: UpgradeReport): void;
  lifeStarted(child: ActorChild): void;
  /** An incarnation is over. Returns what tells its monitors and links, the last thing that follows from an exit. */
  lifeEnded(child: ActorChild, reason: ExitReason): () => void;
  /** Throws ERR_NAME_TAKEN. */
  claimName(child: ActorChild, name: string | undefined): void;
  releaseName(child: ActorChild, name: string | undefined): void;
  whereis(name: string): ActorRef | undefined;
  signal(child: ActorChild, request: SignalRequest): void;
  detour(message: Extract<ToMain, { type: "detour" }>): void;
  parcel(uid: number, parcel: Parcel): void;
  discardParcel(owner: number, number: number): void;
  claim(child: ActorChild, owner: number, number: number): void;
  runTaskFor(child: ActorChild, message: Extract<ToMain, { type: "run_task" }>): void;
  abortTaskOf(child: ActorChild, request: number): void;
  dropped(id: string, method: string): void;
  mailboxFull(uid: number, method: string): void;
  undelivered(id: string, messages: readonly Undelivered[], reason: ExitReason): void;
  unhandled(id: string, method: string, detail: string): void;
  /** What actors log. */
  readonly logs: ActorLogs;
  log(source: LogSource, line: Extract<ToMain, { type: "log" }>): void;
  disposed(child: ActorChild): void;
  /** Nothing is counted of it any more. */
  gone(child: ActorChild): void;
}

/** A thread that has not exited this long after its kill is given up. */
const ZOMBIE_MS = 1000;
/** What callers learn whose reply was deferred, and is lost with the thread that owed it. */
const UPGRADED: ExitReason = Object.freeze({ kind: "shutdown", detail: "upgraded" });
/** Little enough that V8 collects by itself before much of the heap is garbage. */
const UNCOLLECTED_HEADROOM_MB = 256;
/** What a deadline may be overrun by to see a killed thread out: it takes 1 to 5 ms, more on a busy machine. */
const LATE_MS = 100;

interface Starting {
  readonly resolve: (outcome: StartOutcome<ActorRef>) => void;
  /** Runs from when its thread is started. */
  timer: NodeJS.Timeout | undefined;
  turn: StartTurn | undefined;
}

interface Stopping {
  readonly request: StopRequest;
  readonly outcome: Promise<StopOutcome>;
  readonly resolve: (outcome: StopOutcome) => void;
  readonly handledBefore: number;
  timer: NodeJS.Timeout | undefined;
  /** The earliest there was, in the clock's ms. */
  deadlineAt: number;
  killed: boolean;
  dropped: number;
}

/**
 * An actor as its supervisor sees it: one slot whose threads come and go. When a thread has exited, in this
 * order: its locks are freed, the message in flight is decided on, the supervisor is told, then callers.
 */
export class ActorChild implements Child<ActorRef> {
  readonly type = "worker";
  readonly ref: ActorRef;
  readonly id: string;
  readonly spec: FullActorSpec;
  /** Another one after a thread that survived its kill. */
  slot: Slot;
  mailbox: Mailbox;
  /** What kind of actor it is, for whoever counts them: its module's name. */
  readonly kind: string;
  readonly totals: ActorTotals;
  readonly #host: ActorHost;
  readonly #onExit: OnExit;
  readonly #requests: ControlRequests;
  #thread: ActorThread | undefined;
  #incarnation = 0;
  #starting: Starting | undefined;
  #stopping: Stopping | undefined;
  #running = false;
  /** The incarnation that was asked to suspend, and took notice. */
  #suspendedIncarnation = 0;
  /** Why the runtime ended the thread, when it did. */
  #ordered: ExitReason | undefined;
  /** What the thread said before it left. */
  #reported: ExitReason | undefined;
  #startResult: "ignored" | "failed" | undefined;
  #lastMethod = "";
  /** Over restarts. */
  readonly #traces = new Map<number, Trace>();
  #lastTrace = 0;
  /** The spec's, or what it was upgraded to. */
  #module: URL | string;
  #upgrade: Upgrade | undefined;
  #disposed = false;
  /** Threads that survived their kill, and the slot each may still write to. */
  readonly #zombies = new Map<ActorThread, Slot>();
  readonly #formerSlots: Slot[] = [];
  #zombieTimer: NodeJS.Timeout | undefined;

  constructor(spec: FullActorSpec, id: string, ref: ActorRef, slot: Slot, host: ActorHost, onExit: OnExit) {
    this.spec = spec;
    this.id = id;
    this.ref = ref;
    this.slot = slot;
    this.mailbox = new Mailbox(slot.memory.words);
    this.kind = moduleName(spec.actor);
    this.totals = new ActorTotals(host.epochMs);
    this.#module = spec.actor;
    this.#host = host;
    this.#onExit = onExit;
    this.#requests = new ControlRequests(id);
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get threadId(): number | undefined {
    return this.#thread?.threadId;
  }

  /** What the guard knows of the thread that runs. */
  get guardReading(): GuardReading | undefined {
    return this.#thread === undefined ? undefined : this.#host.guard.reading(this.#thread);
  }

  /** Refuses new messages while it runs on. True once it has handled all that it had accepted. */
  get drained(): boolean {
    if (this.mailbox.state === STATE_OPEN) this.mailbox.drain();
    return this.mailbox.isEmpty;
  }

  get queued(): number {
    return this.mailbox.counts().length;
  }

  /** Takes in what has been counted in shared memory. */
  readTotals(): void {
    const { words } = this.slot.memory;
    this.totals.read(this.mailbox, words);
    if (this.#thread !== undefined) this.totals.time(this.#thread, words);
  }

  get running(): boolean {
    return this.#running;
  }

  /** Between a `suspend` and its `resume`. The next incarnation is not. */
  get suspended(): boolean {
    return this.#running && this.#suspendedIncarnation === this.#incarnation;
  }

  /** The method handled last when the actor exited. */
  get lastMethod(): string {
    return this.#lastMethod;
  }

  start(incarnation: number): Promise<StartOutcome<ActorRef>> {
    this.#incarnation = incarnation;
    this.#ordered = this.#reported = this.#startResult = this.#stopping = undefined;
    this.#leaveZombies();
    const { words } = this.slot.memory;
    words[INCARNATION] = incarnation;
    this.#forgetThread(words);
    const { spec } = this;
    try {
      this.#host.claimName(this, spec.name);
    } catch (error) {
      return Promise.resolve({ kind: "failed", reason: { kind: "init_failed", error } });
    }
    this.mailbox.open();
    return new Promise((resolve) => {
      const starting: Starting = { resolve, timer: undefined, turn: undefined };
      this.#starting = starting;
      const spare = this.#host.spares.take(spareKey(this.#threadOptions()));
      if (spare !== undefined) this.#startThread(starting, spare);
      else starting.turn = this.#host.startGate.enter(() => this.#startThread(starting, undefined));
    });
  }

  /** Ends the thread for this reason, which no handler can delay. The supervisor sees an exit of its own accord. */
  kill(reason: ExitReason): void {
    if (this.#thread !== undefined) this.#kill(reason);
    else this.#withdraw(reason);
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    const current = this.#stopping;
    if (current !== undefined) {
      this.#limit(current, request);
      return current.outcome;
    }
    let resolve!: (outcome: StopOutcome) => void;
    const outcome = new Promise<StopOutcome>((settle) => {
      resolve = settle;
    });
    const stopping: Stopping = {
      request,
      outcome,
      resolve,
      handledBefore: this.mailbox.handledSeq,
      timer: undefined,
      deadlineAt: request.deadlineAt ?? Infinity,
      killed: false,
      dropped: 0,
    };
    this.#stopping = stopping;
    this.#withdraw(KILLED);
    this.#upgrade?.abort("the actor is stopping");
    if (this.#thread === undefined) {
      this.#stopped(this.#reported ?? this.#ordered ?? SHUTDOWN, false);
    } else if (this.#starting !== undefined || request.shutdown === "brutal_kill") {
      this.#killStopping(stopping);
    } else {
      // A bystander's mailbox is kept for its next incarnation, so it is neither closed nor drained.
      if (!request.restarting) this.mailbox.drain();
      const reason = encodeForeign(this.#host.outbox.codec, request.reason);
      this.post({ type: "stop", reason, drain: !request.restarting });
      this.#limit(stopping, request);
    }
    return outcome;
  }

  park(reason: ExitReason): void {
    this.#host.releaseName(this, this.spec.name);
    this.#close(reason);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const trace of [...this.#traces.values()]) trace.close();
    this.#host.releaseName(this, this.spec.name);
    this.#close(this.#reported ?? this.#ordered ?? SHUTDOWN, () => {
      this.#host.gone(this);
      this.#releaseSlot();
    });
    this.#host.disposed(this);
  }

  /** Tells the running thread; does nothing when there is none. */
  post(message: ToActor, transfer?: readonly Transferable[]): void {
    if (this.#upgrade?.isSwapping === true) this.#upgrade.hold(message, transfer);
    else this.#thread?.post(message, this.slot.memory.words, transfer);
  }

  /** Delivers a message to `info`, past the mailbox. */
  info(message: unknown): void {
    this.post({ type: "info", message: encodeForeign(this.#host.outbox.codec, [message]) });
  }

  /** User messages wait until `resume`. Resolves when the actor has taken notice. */
  async suspend(timeoutMs: number): Promise<void> {
    const incarnation = this.#incarnation;
    await this.#ask("suspend", timeoutMs, (request) => ({ type: "suspend", request }));
    this.#suspendedIncarnation = incarnation;
  }

  async resume(timeoutMs: number): Promise<void> {
    await this.#ask("resume", timeoutMs, (request) => ({ type: "resume", request }));
    this.#suspendedIncarnation = 0;
  }

  getState(timeoutMs: number): Promise<unknown> {
    return this.#ask("getState", timeoutMs, (request) => ({ type: "get_state", request }));
  }

  async replaceState(state: unknown, timeoutMs: number): Promise<unknown> {
    const value = encoded(this.#host.outbox.codec.encodeValue(state));
    return this.#ask("replaceState", timeoutMs, (request) => ({ type: "replace_state", request, state: value }));
  }

  /**
   * Loads this module in a second thread, and lets that take the actor over between two messages. Later restarts
   * use it too. Rejects when it did not come to that; the actor goes on as it was then.
   */
  async upgrade(module: URL | string, timeoutMs = this.spec.startTimeoutMs): Promise<void> {
    const refused = this.#upgrade !== undefined ? "is being upgraded already" : "is not running";
    if (!this.#running || this.#stopping !== undefined || this.#upgrade !== undefined) {
      const code = this.#upgrade === undefined ? "ERR_NOPROC" : "ERR_RUNNING";
      throw new ActorError(code, `id=${this.id} upgrade: the actor ${refused}`, { id: this.id });
    }
    const options = this.#threadOptions(module);
    const upgrade: Upgrade = new Upgrade(
      {
        id: this.id,
        codec: this.#host.outbox.codec,
        startThread: (listener) => {
          const thread = this.#startSpare(options, listener, (reason) => upgrade.kill(reason));
          this.#host.preparing.add(thread);
          return thread;
        },
        endThread: (thread) => {
          this.#host.preparing.delete(thread);
          this.#host.spares.end(thread);
        },
        initData: () => this.#initData(),
        postFormer: (message, transfer) => this.#thread?.post(message, this.slot.memory.words, transfer),
        committed: () => {
          this.#module = module;
          this.#zombieTimer ??= setTimeout(() => this.#hurryOut(), ZOMBIE_MS);
        },
        onMessage: (message) => this.#onMessage(message),
      },
      moduleCandidates(this.#module)[0],
      timeoutMs,
    );
    this.#upgrade = upgrade;
    try {
      this.#host.upgraded(this, await upgrade.done);
    } finally {
      if (this.#upgrade === upgrade) this.#upgrade = undefined;
    }
  }

  /** All messages that fit, from now on and over restarts. */
  trace(options: TraceOptions): Trace {
    const number = ++this.#lastTrace;
    const trace = new Trace(
      options,
      (credit) => this.post({ type: "trace_credit", trace: number, credit }),
      () => {
        this.#traces.delete(number);
        this.post({ type: "untrace", trace: number });
      },
    );
    if (trace.closed) return trace;
    this.#traces.set(number, trace);
    this.post({ type: "trace", ...trace.request(number) });
    return trace;
  }

  heapSnapshot(timeoutMs: number): Promise<Readable> {
    return this.#watch("heapSnapshot", timeoutMs, (thread) => thread.heapSnapshot());
  }

  cpuProfile(ms: number, timeoutMs: number): Promise<Profiler.Profile> {
    return this.#watch("cpuProfile", ms + timeoutMs, (thread) => cpuProfile(thread, ms));
  }

  /** What main finds out about the thread from outside. */
  async #watch<T>(what: string, timeoutMs: number, look: (thread: ActorThread) => Promise<T>): Promise<T> {
    const thread = this.#requireRunning(what);
    const answer = this.#requests.ask(what, timeoutMs, (request) => {
      look(thread).then(
        (value) => this.#requests.answer(request, false, value),
        (error: unknown) => this.#requests.answer(request, true, error),
      );
    });
    return (await answer) as T;
  }

  async #ask(what: string, timeoutMs: number, message: (request: number) => ToActor): Promise<unknown> {
    this.#requireRunning(what);
    return this.#requests.ask(what, timeoutMs, (request) => this.post(message(request)));
  }

  #requireRunning(what: string): ActorThread {
    if (this.#running && this.#thread !== undefined) return this.#thread;
    throw new ActorError("ERR_NOPROC", `id=${this.id} ${what}: the actor is not running`, { id: this.id });
  }

  #startThread(starting: Starting, spare: ActorThread | undefined): void {
    const afterMs = this.spec.startTimeoutMs;
    starting.timer = setTimeout(() => this.#kill({ kind: "init_timeout", afterMs }), afterMs);
    const host = this.#host;
    const listener: ThreadListener = {
      onMessage: (message) => this.#onThreadMessage(source, message),
      onExit: (error) => this.#onThreadExit(thread, source, error),
    };
    spare?.listen(listener);
    const thread = spare ?? new ActorThread(this.#threadOptions(), listener);
    this.#thread = thread;
    const source = this.#logSource(thread);
    host.threadStarted(thread, this);
    host.lifeStarted(this);
    thread.post(this.#initData());
    this.#requestTraces(thread);
  }

  /** Whose line it is, is known by the thread: the actor may have another by the time that it is read. */
  #logSource({ threadId }: ActorThread): LogSource {
    return { id: this.id, incarnation: this.#incarnation, thread: threadId, words: this.slot.memory.words };
  }

  #onThreadMessage(source: LogSource, message: ToMain): void {
    if (message.type === "log") this.#host.log(source, message);
    else this.#onMessage(message);
  }

  #requestTraces(thread: ActorThread): void {
    for (const [number, trace] of this.#traces) thread.post({ type: "trace", ...trace.request(number) });
  }

  /** What a thread has left in its slot. */
  #forgetThread(words: Int32Array): void {
    words[HANDLING] = 0;
    words[BLOCKED_ON] = 0;
    words[LOG_TAKEN] = 0;
    this.totals.threadStarts(words);
  }

  #initData(): InitData {
    const { slot, spec } = this;
    return {
      type: "init",
      id: this.id,
      name: spec.name,
      address: slot.address,
      uid: slot.uid,
      incarnation: this.#incarnation,
      args: encodeForeign(this.#host.outbox.codec, spec.args),
    };
  }

  #threadOptions(module = this.#module): ThreadOptions {
    const { spec } = this;
    const host = this.#host;
    const moduleUrls = moduleCandidates(module);
    const permitted =
      spec.permissions === undefined ? [] : permissionFlags(spec.permissions, moduleUrls.flatMap(modulesWithin));
    return {
      name: this.id,
      heapCapMb: spec.heapCapMb,
      headroomMb: this.#headroomMb(),
      env: definedOnly(spec.env ?? {}),
      execArgv: [...permitted, ...(spec.execArgv ?? [])],
      boot: {
        segments: host.slots.segments.buffers,
        names: host.outbox.names.buffer,
        epochMs: host.epochMs,
        ownerId: host.nextOwnerId(),
        guardBell: host.guard.bell,
        awake: host.awake.buffer as SharedArrayBuffer,
        logLevel: host.logs.level,
        console: spec.console,
        offHeapCapMb: spec.offHeapCapMb,
        moduleUrls,
      },
    };
  }

  /** A thread with a permission model has no inspector: no collection on demand, and on Node 20 no probe at all. */
  #headroomMb(): number {
    const { headroomMb } = this.#host;
    if (this.spec.permissions === undefined) return headroomMb;
    return HAS_HEAP_STATISTICS ? Math.min(headroomMb, UNCOLLECTED_HEADROOM_MB) : 0;
  }

  /** What has been restarted once is likely to need it again. */
  #provideSpare(): void {
    const options = this.#threadOptions();
    this.#host.spares.provide(spareKey(options), this.spec.startTimeoutMs, (listener) =>
      this.#startSpare(options, listener),
    );
  }

  /** The guard looks after a spare as well: loading the module may go wrong this time. */
  #startSpare(options: ThreadOptions, listener: ThreadListener, kill?: (reason: ExitReason) => void): ActorThread {
    const { guard } = this.#host;
    const { heapCapMb, offHeapCapMb } = this.spec;
    const words = new Int32Array(SLOT_HEADER_WORDS);
    words[PARKED] = words[ACTIVE] = 1;
    const thread = new ActorThread(options, {
      onMessage: (message) => {
        // A spare sleeps from now on; an upgrade's thread is going to run `codeChange`.
        if (message.type === "loaded" && kill === undefined) words[ACTIVE] = 0;
        if (message.type === "log") {
          const source = {
            id: kill === undefined ? `${this.id} (spare)` : this.id,
            incarnation: 0,
            thread: thread.threadId,
            words,
          };
          this.#host.log(source, message);
          return;
        }
        listener.onMessage(message);
      },
      onExit: (error) => {
        guard.forget(thread);
        listener.onExit(error);
      },
    });
    const spec = { heapCapMb, offHeapCapMb, handlerTimeoutMs: Infinity };
    guard.guard(
      thread,
      { id: `${this.id} (spare)`, spec, running: false, kill: kill ?? (() => thread.terminate()) },
      words,
    );
    return thread;
  }

  #onMessage(message: ToMain): void {
    const { codec } = this.#host.outbox;
    switch (message.type) {
      case "started":
        this.#running = true;
        this.#settleStart({ kind: "started", ref: this.ref });
        if (this.#incarnation > 1) this.#provideSpare();
        this.#upgrade?.finished();
        break;
      case "handed_over":
        this.#upgrade?.handedOver(message.snapshot);
        break;
      case "hand_over_failed":
        this.#upgrade?.handOverFailed(message.error);
        break;
      case "returned":
        // Once the upgrade is over, to whoever has the actor now.
        if (this.#upgrade?.isOpen === true) this.#upgrade.hold(message.message);
        else this.post(message.message);
        break;
      case "unseen_memory":
        if (this.#thread !== undefined) this.#host.guard.unseenMemory(this.#thread, message.bytes);
        break;
      case "loaded":
        this.#starting?.turn?.leave();
        break;
      case "ignored":
        this.#startResult = "ignored";
        break;
      case "init_failed":
      case "module_failed":
        this.#startResult = "failed";
        this.#reported = { kind: "init_failed", error: codec.decodeValue(payloadOf(message.error)) };
        break;
      case "exiting":
        this.#reported = decodeReason(codec, message.reason);
        this.#lastMethod = message.method;
        break;
      case "detour":
        this.#host.detour(message);
        break;
      case "answer":
        this.#requests.answer(message.request, message.failed, codec.decodeValue(payloadOf(message.value)));
        break;
      case "run_task":
        this.#host.runTaskFor(this, message);
        break;
      case "abort_task":
        this.#host.abortTaskOf(this, message.request);
        break;
      case "whereis":
        this.post({ type: "found", ref: encoded(codec.encodeValue(this.#host.whereis(message.name))) });
        break;
      case "monitor":
      case "demonitor":
      case "link":
      case "unlink":
      case "trap_exit":
      case "exit":
        this.#host.signal(this, message);
        break;
      case "parcel":
        this.#host.parcel(message.uid, message.parcel);
        break;
      case "parcel_lost":
        this.#host.discardParcel(message.owner, message.number);
        break;
      case "claim":
        this.#host.claim(this, message.owner, message.number);
        break;
      case "mailbox_full":
        this.#host.mailboxFull(message.uid, message.method);
        break;
      case "dropped":
        this.#host.dropped(message.id, message.method);
        break;
      case "unhandled":
        this.#lost("unhandled", 1);
        this.#host.unhandled(this.id, message.method, message.detail);
        break;
      case "traced":
        this.#traces.get(message.trace)?.add(this.id, this.#incarnation, message);
        break;
    }
  }

  #onThreadExit(thread: ActorThread, source: LogSource, error: Error | undefined): void {
    this.#host.logs.ended(source);
    const slot = this.#zombies.get(thread);
    if (slot !== undefined) {
      this.#host.threadExited(thread, this, slot);
      this.#zombies.delete(thread);
      if (this.#disposed) this.#releaseSlot();
      return;
    }
    const upgrade = this.#upgrade;
    if (upgrade?.isSwapping === true && this.#ordered === undefined && thread !== upgrade.thread) {
      this.#swap(upgrade, thread);
      return;
    }
    // What others asked for before they did what led to this exit, a monitor say, comes first.
    this.#host.takeMessages();
    // What was in flight is decided on before the dead thread's locks are freed: producers may drop it then.
    const inFlight = this.mailbox.recover();
    this.#host.threadExited(thread, this, this.slot);
    this.#ended(this.#exitReason(error), inFlight, false);
  }

  /** The former thread has left: the new one takes its place, and nobody is told of an exit, for the actor lives on. */
  #swap(upgrade: Upgrade, former: ActorThread): void {
    const host = this.#host;
    clearTimeout(this.#zombieTimer);
    this.#zombieTimer = undefined;
    host.takeMessages();
    this.mailbox.recover();
    if (!this.#zombies.has(former)) host.threadExited(former, this, this.slot);
    const consumedBefore = this.mailbox.consumedBefore;
    const { thread } = upgrade;
    if (upgrade.exited !== undefined) {
      this.#ended(upgrade.exited, undefined, false);
      return;
    }
    this.#leaveZombies();
    const { slot } = this;
    const { words } = slot.memory;
    this.totals.threadEnded(words);
    this.#forgetThread(words);
    this.#reported = undefined;
    this.#thread = thread;
    const source = this.#logSource(thread);
    thread.listen({
      onMessage: (message) => this.#onThreadMessage(source, message),
      onExit: (error) => this.#onThreadExit(thread, source, error),
    });
    host.guard.forget(thread);
    host.threadStarted(thread, this);
    // Replies that the former thread deferred and took with it.
    host.notifyCallers(slot, UPGRADED, consumedBefore, false);
    upgrade.tookOver();
    upgrade.takeOver(slot.address, words);
    this.#requestTraces(thread);
  }

  /** The former thread was asked to leave, and has not. */
  #hurryOut(): void {
    const thread = this.#thread;
    if (thread === undefined) return;
    thread.terminate();
    this.#zombieTimer = setTimeout(() => this.#giveUp(thread), ZOMBIE_MS);
  }

  /** The thread has exited, or is given up: what follows is the same. */
  #ended(reason: ExitReason, inFlight: Undelivered | undefined, zombie: boolean): void {
    clearTimeout(this.#zombieTimer);
    this.#zombieTimer = undefined;
    this.#upgrade?.ended(reason);
    this.#thread = undefined;
    this.#running = false;
    this.#reported = reason;
    this.totals.threadEnded(this.slot.memory.words);
    const lost = inFlight === undefined ? [] : [inFlight];
    this.#lost("crash", lost.length);
    if (this.spec.mailbox.onRestart === "drop" && this.#stopping === undefined) {
      const queued = this.mailbox.takeAll(this.#host.producer);
      this.#lost("restart", queued.length);
      lost.push(...queued);
    }
    if (this.#stopping !== undefined) this.#stopping.dropped += lost.length;
    const consumedBefore = this.mailbox.consumedBefore;

    // Before the supervisor is told, who may start the next incarnation at once.
    const tellWatchers = this.#host.lifeEnded(this, reason);
    this.#requests.threadExited(reason);
    if (this.#starting !== undefined && this.#incarnation === 1) this.#host.releaseName(this, this.spec.name);
    if (this.#starting !== undefined) this.#settleStart(this.#failedStart(reason));
    else if (this.#stopping === undefined) this.#onExit(reason);

    if (lost.length > 0) this.#host.undelivered(this.id, lost, reason);
    this.#host.notifyCallers(this.slot, reason, consumedBefore, false);
    tellWatchers();
    if (this.#stopping !== undefined) this.#stopped(reason, zombie);
  }

  #failedStart(reason: ExitReason): StartOutcome<ActorRef> {
    return this.#startResult === "ignored" ? { kind: "ignored" } : { kind: "failed", reason };
  }

  /** What the runtime ordered, else what the thread reported, else what Node says; never the exit code. */
  #exitReason(error: Error | undefined): ExitReason {
    if (this.#ordered !== undefined) return this.#ordered;
    if (this.#reported !== undefined) return this.#reported;
    if ((error as { code?: string } | undefined)?.code === "ERR_WORKER_OUT_OF_MEMORY") {
      const { heapCapMb } = this.spec;
      // V8 gave up at its limit: the cap and nothing more precise.
      return { kind: "heap_cap_exceeded", heapCapMb, usedMb: heapCapMb };
    }
    if (error !== undefined) return { kind: "error", error };
    if (this.#starting !== undefined) {
      const message = `${this.id}: the module never finished loading (a top-level await that nothing settles)`;
      return { kind: "init_failed", error: new ActorError("ERR_ACTOR_MODULE", message) };
    }
    return { kind: "exit_called", code: 0 };
  }

  /** Ends a start whose thread waits for its turn. */
  #withdraw(reason: ExitReason): void {
    if (this.#starting === undefined || this.#thread !== undefined) return;
    this.#reported = reason;
    if (this.#incarnation === 1) this.#host.releaseName(this, this.spec.name);
    this.#settleStart({ kind: "failed", reason });
  }

  #settleStart(outcome: StartOutcome<ActorRef>): void {
    const starting = this.#starting;
    if (starting === undefined) return;
    this.#starting = undefined;
    clearTimeout(starting.timer);
    starting.turn?.leave();
    starting.resolve(outcome);
  }

  #kill(reason: ExitReason): void {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#ordered ??= reason;
    // While it can still be asked.
    this.readTotals();
    thread.terminate();
    this.#zombieTimer ??= setTimeout(() => this.#giveUp(thread), ZOMBIE_MS);
  }

  /** Holds the stop to the earlier of its limits. */
  #limit(stopping: Stopping, { shutdown, deadlineAt = Infinity }: StopRequest): void {
    const drawnIn = deadlineAt < stopping.deadlineAt;
    if (drawnIn) stopping.deadlineAt = deadlineAt;
    if (stopping.killed) {
      if (drawnIn) this.#seeOut(stopping);
      return;
    }
    if (shutdown === "brutal_kill") {
      this.#killStopping(stopping);
      return;
    }
    const limitMs = Math.min(demandMs(shutdown), deadlineAt - this.#host.clock.now());
    if (limitMs === Infinity) return;
    clearTimeout(stopping.timer);
    stopping.timer = setTimeout(() => this.#killStopping(stopping), Math.max(0, limitMs));
  }

  #killStopping(stopping: Stopping): void {
    if (stopping.killed || this.#thread === undefined) return;
    stopping.killed = true;
    clearTimeout(stopping.timer);
    this.#kill(KILLED);
    this.#seeOut(stopping);
  }

  /** A thread that ignores its kill must not make the whole tree late. */
  #seeOut(stopping: Stopping): void {
    const { deadlineAt } = stopping;
    if (deadlineAt === Infinity) return;
    const patienceMs = Math.min(ZOMBIE_MS, Math.max(0, deadlineAt - this.#host.clock.now()) + LATE_MS);
    clearTimeout(stopping.timer);
    stopping.timer = setTimeout(() => this.#thread !== undefined && this.#giveUp(this.#thread), patienceMs);
  }

  /** The thread ignores its kill. It may still write to its slot, so the slot is not given to anyone else before it ends. */
  #giveUp(thread: ActorThread): void {
    if (this.#thread !== thread) return;
    const reason = this.#ordered ?? KILLED;
    this.#zombies.set(thread, this.slot);
    this.#host.threadAbandoned(thread, this, reason);
    const upgrade = this.#upgrade;
    if (upgrade?.isSwapping === true && this.#ordered === undefined && thread !== upgrade.thread) {
      this.#swap(upgrade, thread);
      return;
    }
    this.#ended(reason, this.mailbox.recover(), true);
  }

  /** Before a start: the next thread must not share a slot with one that may still write there. */
  #leaveZombies(): void {
    if (![...this.#zombies.values()].includes(this.slot)) return;
    this.#formerSlots.push(this.slot);
    this.slot = this.#host.relocate(this.slot);
    this.mailbox = new Mailbox(this.slot.memory.words);
  }

  #stopped(reason: ExitReason, zombie: boolean): void {
    const stopping = this.#stopping;
    if (stopping === undefined) return;
    this.#stopping = undefined;
    clearTimeout(stopping.timer);
    stopping.resolve({
      reason,
      drained: (this.mailbox.handledSeq - stopping.handledBefore - stopping.dropped) | 0,
      dropped: stopping.dropped + (stopping.request.restarting ? 0 : this.mailbox.counts().length),
      killed: stopping.killed,
      zombie,
    });
  }

  /** Nothing is accepted any more; what waits becomes dead letters, and its callers learn why. */
  #close(reason: ExitReason, then = (): void => {}): void {
    this.mailbox.close();
    this.#whenSettled(() => {
      // It may have been opened again by a restart meanwhile.
      if (this.mailbox.state !== STATE_CLOSED || this.#thread !== undefined) return;
      const undelivered = this.mailbox.takeAll(this.#host.producer);
      this.#lost("closed", undelivered.length);
      if (undelivered.length > 0) this.#host.undelivered(this.id, undelivered, reason);
      this.#host.notifyCallers(this.slot, reason, this.mailbox.nextSeq, true);
      then();
    });
  }

  #lost(cause: LossCause, count: number): void {
    this.totals.lost[cause] += count;
  }

  #releaseSlot(): void {
    if (this.#zombies.size > 0) return;
    for (const slot of [this.slot, ...this.#formerSlots.splice(0)]) {
      this.#host.outbox.disconnect(slot.address);
      this.#host.slots.release(slot);
    }
  }

  /** Runs `then` once no producer is inside the mailbox; at once when none is. */
  #whenSettled(then: () => void): void {
    if (this.mailbox.settled) then();
    else setImmediate(() => this.#whenSettled(then));
  }
}
