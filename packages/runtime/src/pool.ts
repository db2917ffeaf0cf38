import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import {
  ActorError,
  type Codec,
  describeExit,
  type ExitReason,
  isTaskFailure,
  noproc,
  payloadOf,
  type RunOptions,
  type Sender,
  SHUTDOWN,
  type TaskFailure,
  taskAborted,
  taskNotCloneable,
} from "@mini-otp/worker-host/protocol";
import { type PoolStats, type PoolTimes, SupervisedPoolRef } from "./pool-ref.js";
import { PoolThreads, type PoolThreadsHost, type TaskEnd } from "./pool-threads.js";
import type { Process } from "./process-signals.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "./supervision/child.js";
import type { FullPoolSpec } from "./supervision/child-spec.js";
import type { Clock, Timer } from "./supervision/clock.js";
import { limitAt } from "./supervision/stop-budget.js";

/** What a pool needs of its system. */
export interface PoolHost extends PoolThreadsHost {
  readonly clock: Clock;
  readonly outbox: Sender & { readonly codec: Codec };
  /** A thread has ended before its task. */
  poolThreadLost(pool: PoolChild, name: string, reason: ExitReason): void;
  poolDisposed(pool: PoolChild): void;
  /** It runs from now on, as far as monitors and links go. */
  lifeStarted(pool: PoolChild): void;
  /** It has ended. Returns what tells those who watch it. */
  lifeEnded(pool: PoolChild, reason: ExitReason): () => void;
}

interface Task {
  readonly name: string;
  readonly task: unknown;
  readonly transferList: readonly unknown[];
  readonly signal: AbortSignal | undefined;
  readonly queuedAt: number;
  /** Ends it where it stands, for its time is over or nobody wants it any more. */
  readonly end: AbortController;
  /** Takes the listener off the caller's signal. */
  release(): void;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Stopping {
  readonly request: StopRequest;
  readonly outcome: Promise<StopOutcome>;
  resolve(outcome: StopOutcome): void;
  limitAt: number;
  timer: Timer | undefined;
  drained: number;
  dropped: number;
}

type State = "down" | "starting" | "up" | "restarting" | "stopping";

/**
 * A pool as its supervisor sees it: a queue of tasks on main, and incarnations of threads that run them. The queue
 * outlives its threads as a mailbox does: what waits when the pool breaks is run by the next incarnation.
 */
export class PoolChild implements Child<SupervisedPoolRef>, Process {
  readonly type = "worker";
  readonly id: string;
  readonly uid: number;
  readonly ref: SupervisedPoolRef;
  readonly #spec: FullPoolSpec;
  readonly #host: PoolHost;
  readonly #onExit: OnExit;
  readonly #queue: Task[] = [];
  readonly #running = new Set<Task>();
  readonly #wait = createHistogram();
  readonly #run = createHistogram();
  readonly #counts = { completed: 0, failed: 0, aborted: 0, rejected: 0, threadsLost: 0 };
  #state: State = "down";
  #incarnation = 0;
  #threads: PoolThreads | undefined;
  #startFailed: ((reason: ExitReason) => void) | undefined;
  #stopping: Stopping | undefined;
  /** Why all threads are being ended, while they are. */
  #closing: ExitReason | undefined;
  #lastReason: ExitReason = SHUTDOWN;
  /** As far as monitors and links go. */
  #lives = false;

  constructor(spec: FullPoolSpec, path: string, uid: number, host: PoolHost, onExit: OnExit) {
    this.#spec = spec;
    this.id = path;
    this.uid = uid;
    this.#host = host;
    this.#onExit = onExit;
    this.ref = new SupervisedPoolRef(host.outbox, uid, path, () => this.stats());
  }

  /** It has started when one of its threads has loaded the module. */
  async start(incarnation: number): Promise<StartOutcome<SupervisedPoolRef>> {
    const { startTimeoutMs: afterMs } = this.#spec;
    this.#incarnation = incarnation;
    this.#state = "starting";
    this.#stopping = undefined;
    this.#lives = true;
    this.#host.lifeStarted(this);
    const failed = new Promise<ExitReason>((resolve) => {
      this.#startFailed = resolve;
    });
    const timer = this.#host.clock.setTimer(afterMs, () => this.#startFailed?.({ kind: "init_timeout", afterMs }));
    let reason: ExitReason | undefined;
    try {
      const threads: PoolThreads = new PoolThreads(this.#spec, this.id, this.#host, (error) =>
        this.#broken(threads, { kind: "error", error }),
      );
      this.#threads = threads;
      const loaded = threads.run(undefined, undefined, [], new AbortController(), false).then(
        () => undefined,
        (end: unknown): ExitReason => ({ kind: "init_failed", error: this.#errorOf(threads, end, "load") }),
      );
      reason = await Promise.race([loaded, failed]);
    } catch (error) {
      reason = { kind: "init_failed", error };
    }
    timer.cancel();
    this.#startFailed = undefined;
    if (reason === undefined) {
      this.#state = "up";
      this.#dispatch();
      return { kind: "started", ref: this.ref };
    }
    const closed = await this.#closeThreads();
    this.#state = incarnation === 1 ? "down" : "restarting";
    this.#lastReason = reason;
    this.#ended(reason)();
    this.#stopped(reason, false, !closed);
    return { kind: "failed", reason };
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    const stopping = this.#stopping ?? this.#beginStop(request);
    this.#limit(stopping, request);
    return stopping.outcome;
  }

  /** Ends its threads for this reason. The supervisor sees an exit of its own accord. */
  kill(reason: ExitReason): void {
    if (this.#stopping !== undefined)
      this.#limit(this.#stopping, { ...this.#stopping.request, shutdown: "brutal_kill" });
    else if (this.#threads !== undefined) this.#broken(this.#threads, reason);
  }

  /** Nobody sends it any: it traps no exits, and monitors nobody. */
  info(): void {}

  park(reason: ExitReason): void {
    this.#state = "down";
    this.#refuseQueued(reason);
  }

  dispose(): void {
    this.park(this.#lastReason);
    this.#host.poolDisposed(this);
  }

  run(task: unknown, { signal, transferList = [], name = "default" }: RunOptions): Promise<unknown> {
    if (this.#state === "down" || this.#state === "stopping") return Promise.reject(noproc(this, "run"));
    if (signal?.aborted === true) {
      this.#counts.aborted++;
      return Promise.reject(taskAborted(this.id, signal));
    }
    const { maxQueue } = this.#spec;
    const waits = this.#state !== "up" || this.#queue.length > 0 || this.#threads?.hasRoom !== true;
    if (waits && this.#queue.length >= maxQueue) {
      this.#counts.rejected++;
      const message = `id=${this.id}: the pool's queue is full (maxQueue=${maxQueue})`;
      return Promise.reject(new ActorError("ERR_MAILBOX_FULL", message, { id: this.id, maxQueue }));
    }
    return new Promise((resolve, reject) => {
      const end = new AbortController();
      const queuedAt = performance.now();
      const onAbort = (): void => this.#abort(queued);
      const release = (): void => signal?.removeEventListener("abort", onAbort);
      const queued: Task = {
        name,
        task,
        transferList,
        signal,
        queuedAt,
        end,
        release,
        resolve,
        reject,
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#queue.push(queued);
      this.#dispatch();
    });
  }

  stats(): PoolStats {
    const { maxThreads, maxQueue } = this.#spec;
    const runs = this.#state === "up" || this.#state === "stopping";
    return {
      state: runs ? "running" : this.#state === "down" ? "stopped" : "restarting",
      incarnation: this.#incarnation,
      restarts: Math.max(0, this.#incarnation - 1),
      threads: this.#threads?.count ?? 0,
      maxThreads,
      queueLength: this.#queue.length,
      maxQueue,
      running: this.#running.size,
      ...this.#counts,
      wait: timesOf(this.#wait),
      run: timesOf(this.#run),
    };
  }

  #dispatch(): void {
    const threads = this.#threads;
    const draining = this.#state === "stopping" && this.#stopping?.request.restarting === false;
    while (threads !== undefined && (this.#state === "up" || draining) && threads.hasRoom) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      void this.#runNow(next, threads);
    }
  }

  async #runNow(task: Task, threads: PoolThreads): Promise<void> {
    const startedAt = performance.now();
    this.#running.add(task);
    record(this.#wait, startedAt - task.queuedAt);
    try {
      const abortable = this.#spec.taskTimeoutMs !== Infinity || task.signal !== undefined;
      const value = await threads.run(task.name, task.task, task.transferList, task.end, abortable);
      this.#counts.completed++;
      record(this.#run, performance.now() - startedAt);
      task.resolve(value);
    } catch (end) {
      if (task.signal?.aborted === true && (end as TaskEnd).timeOver === undefined) {
        this.#counts.aborted++;
        task.reject(taskAborted(this.id, task.signal));
      } else {
        this.#counts.failed++;
        record(this.#run, performance.now() - startedAt);
        task.reject(this.#errorOf(threads, end, task.name));
      }
    } finally {
      this.#running.delete(task);
      task.release();
      if (this.#stopping !== undefined) this.#stopping.drained++;
      this.#dispatch();
      this.#checkDrained();
    }
  }

  /** What a task rejects with. A thread that is lost is told of, a module that cannot be loaded breaks the pool. */
  #errorOf(threads: PoolThreads, end: unknown, name: string): unknown {
    const { error, timeOver, uncloneable } = end as TaskEnd;
    if (isTaskFailure(error)) {
      const thrown = this.#host.outbox.codec.decodeValue(payloadOf((error as TaskFailure).error));
      if (error.of === "module") this.#broken(threads, { kind: "error", error: thrown });
      return thrown;
    }
    if (uncloneable) return taskNotCloneable(this.id, error);
    const reason =
      timeOver?.kind === "unresponsive"
        ? { ...timeOver, method: name }
        : (timeOver ?? this.#closing ?? threads.lostThread(end as TaskEnd));
    if (timeOver?.kind === "init_timeout") this.#broken(threads, timeOver);
    if (this.#closing === undefined) {
      this.#counts.threadsLost++;
      this.#host.poolThreadLost(this, name, reason);
    }
    const message = `id=${this.id} task=${name}: the thread ended before the task did: ${describeExit(reason)}`;
    return new ActorError("ERR_CALL_EXIT", message, { id: this.id, method: name, reason });
  }

  #broken(threads: PoolThreads, reason: ExitReason): void {
    if (threads !== this.#threads) return;
    this.#startFailed?.(reason.kind === "error" ? { kind: "init_failed", error: reason.error } : reason);
    if (this.#state !== "up") return;
    this.#state = "restarting";
    this.#lastReason = reason;
    this.#closing = reason;
    void this.#closeThreads().then((closed) => {
      const tellWatchers = this.#ended(reason);
      if (this.#stopping === undefined) this.#onExit(reason);
      tellWatchers();
      this.#stopped(reason, false, !closed);
    });
  }

  async #closeThreads(): Promise<boolean> {
    const threads = this.#threads;
    this.#threads = undefined;
    const closed = (await threads?.close()) ?? true;
    this.#closing = undefined;
    return closed;
  }

  #beginStop(request: StopRequest): Stopping {
    let resolve!: (outcome: StopOutcome) => void;
    const outcome = new Promise<StopOutcome>((settle) => {
      resolve = settle;
    });
    const stopping: Stopping = {
      request,
      outcome,
      resolve,
      limitAt: Infinity,
      timer: undefined,
      drained: 0,
      dropped: 0,
    };
    this.#stopping = stopping;
    switch (this.#state) {
      case "up":
        this.#state = "stopping";
        this.#checkDrained();
        break;
      case "starting":
        this.#startFailed?.({ kind: "killed" });
        break;
      default:
        // Its threads have ended, or are about to: then whoever sees to that goes on from there.
        if (this.#threads === undefined && this.#closing === undefined) this.#stopped(this.#lastReason, false, false);
    }
    return stopping;
  }

  /** Holds the stop to the earlier of its limits. */
  #limit(stopping: Stopping, request: StopRequest): void {
    const { clock } = this.#host;
    const now = clock.now();
    stopping.limitAt = Math.min(stopping.limitAt, limitAt(request, now));
    stopping.timer?.cancel();
    if (stopping.limitAt === Infinity || this.#state !== "stopping") return;
    const limitMs = request.shutdown === "brutal_kill" ? 0 : stopping.limitAt - now;
    stopping.timer = clock.setTimer(Math.max(0, limitMs), () => void this.#end(stopping, true));
  }

  #checkDrained(): void {
    const stopping = this.#stopping;
    if (stopping === undefined || this.#state !== "stopping" || this.#running.size > 0) return;
    if (stopping.request.restarting || this.#queue.length === 0) void this.#end(stopping, false);
  }

  /** Nothing runs any more, or its time is over. */
  async #end(stopping: Stopping, killed: boolean): Promise<void> {
    if (this.#threads === undefined || this.#state !== "stopping") return;
    stopping.timer?.cancel();
    const { request } = stopping;
    this.#closing = request.reason;
    stopping.dropped += this.#running.size;
    stopping.drained -= this.#running.size;
    this.#state = "restarting";
    if (!request.restarting) {
      stopping.dropped += this.#queue.length;
      this.#state = "down";
      this.#refuseQueued(request.reason);
    }
    const closed = await this.#closeThreads();
    this.#stopped(request.reason, killed, !closed);
  }

  #stopped(reason: ExitReason, killed: boolean, zombie: boolean): void {
    const stopping = this.#stopping;
    if (stopping === undefined) return;
    this.#stopping = undefined;
    stopping.timer?.cancel();
    const { drained, dropped, request } = stopping;
    if (!request.restarting) this.#state = "down";
    this.#lastReason = reason;
    this.#ended(reason)();
    stopping.resolve({ reason, drained, dropped, killed, zombie });
  }

  #ended(reason: ExitReason): () => void {
    if (!this.#lives) return () => {};
    this.#lives = false;
    return this.#host.lifeEnded(this, reason);
  }

  #abort(task: Task): void {
    const at = this.#queue.indexOf(task);
    if (at === -1) {
      task.end.abort();
      return;
    }
    this.#queue.splice(at, 1);
    this.#counts.aborted++;
    task.reject(taskAborted(this.id, task.signal as AbortSignal));
    this.#checkDrained();
  }

  #refuseQueued(reason: ExitReason): void {
    for (const task of this.#queue.splice(0)) {
      task.release();
      this.#counts.failed++;
      const message = `id=${this.id} task=${task.name}: the pool ended before its turn: ${describeExit(reason)}`;
      task.reject(new ActorError("ERR_CALL_EXIT", message, { id: this.id, method: task.name, reason }));
    }
  }
}

/** Histograms count whole numbers, from 1: microseconds. */
function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1000)));
}

function timesOf(histogram: RecordableHistogram): PoolTimes {
  const { count } = histogram;
  if (count === 0) return { count, meanMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
  return {
    count,
    meanMs: histogram.mean / 1000,
    p50Ms: histogram.percentile(50) / 1000,
    p99Ms: histogram.percentile(99) / 1000,
    maxMs: histogram.max / 1000,
  };
}
