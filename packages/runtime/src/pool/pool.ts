import { ActorError, describeExit, type ExitReason, KILLED, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { isTaskFailure, type TaskFailure } from "@mini-otp/worker-host/protocol/port";
import { noproc, notTransferable, type Sender, type TaskOptions } from "@mini-otp/worker-host/protocol/refs";
import { type Codec, payloadOf, type TaskValue, takeTransferred } from "@mini-otp/worker-host/protocol/values";
import type { Process } from "../signals/process-signals.js";
import type { PoolStats } from "../stats/pool-stats.js";
import type { Child, OnExit, StartOutcome, StopOutcome, StopRequest } from "../supervision/child.js";
import type { FullPoolSpec } from "../supervision/child-spec.js";
import type { Clock } from "../supervision/clock.js";
import { Deadline } from "../supervision/deadline.js";
import { type Deferred, deferred } from "../supervision/deferred.js";
import { explainModule } from "../supervision/module-url.js";
import { SupervisedPoolRef } from "../supervision/pool-ref.js";
import { afterRunning } from "../supervision/running-time.js";
import { limitAt } from "../supervision/stop-budget.js";
import { Ending } from "./ending.js";
import { PoolProcesses } from "./pool-processes.js";
import { PoolThreads, type PoolThreadsHost, type PoolThreadsListener } from "./pool-threads.js";
import type { TaskEnd } from "./task-end.js";
import { type Task, TaskQueue } from "./task-queue.js";

/** What a pool needs of its system. */
export interface PoolHost extends PoolThreadsHost {
  readonly clock: Clock;
  readonly outbox: Sender & { readonly codec: Codec };
  /** A thread has ended before its task. */
  poolThreadLost(pool: PoolChild, name: string, reason: ExitReason): void;
  poolDisposed(pool: PoolChild): void;
  /** For monitors and links, the pool runs from now on. */
  lifeStarted(pool: PoolChild): void;
  /** For monitors and links, the pool has ended. Returns a function that tells its watchers. */
  lifeEnded(pool: PoolChild, reason: ExitReason): () => void;
}

interface Stopping {
  readonly request: StopRequest;
  readonly outcome: Deferred<StopOutcome>;
  readonly deadline: Deadline;
  drained: number;
  dropped: number;
}

/** One incarnation of a pool: what runs its tasks. */
type Runners = PoolThreads | PoolProcesses;

type State = "down" | "starting" | "up" | "restarting" | "stopping";

/**
 * A pool as a child of its supervisor: a queue of tasks on main, and incarnations of threads that run them. The queue
 * outlives its threads as a mailbox does: the next incarnation runs the tasks that waited when the pool broke.
 * Over 350 lines, because a pool's reference, its incarnations and its tasks are one state: which tasks wait, and for which incarnation.
 */
export class PoolChild implements Child<SupervisedPoolRef>, Process {
  readonly type = "worker";
  readonly id: string;
  readonly uid: number;
  readonly ref: SupervisedPoolRef;
  readonly #spec: FullPoolSpec;
  readonly #host: PoolHost;
  readonly #onExit: OnExit;
  readonly #tasks: TaskQueue;
  readonly #running = new Set<Task>();
  #threadsLost = 0;
  #threadsRecycled = 0;
  #state: State = "down";
  #incarnation = 0;
  #threads: Runners | undefined;
  #startFailed: ((reason: ExitReason) => void) | undefined;
  #stopping: Stopping | undefined;
  /** Set while all threads are being ended: the reason. */
  #closing: ExitReason | undefined;
  #lastReason: ExitReason = SHUTDOWN;
  /** Whether the pool runs for monitors and links. */
  #isAlive = false;

  constructor(spec: FullPoolSpec, path: string, uid: number, host: PoolHost, onExit: OnExit) {
    this.#spec = spec;
    this.id = path;
    this.uid = uid;
    this.#host = host;
    this.#onExit = onExit;
    this.#tasks = new TaskQueue(path, spec.maxQueue, () => this.#checkDrained());
    const parallelTasks = spec.maxThreads * spec.concurrentTasksPerWorker;
    this.ref = new SupervisedPoolRef(host.outbox, uid, path, parallelTasks, () => this.stats());
  }

  /** The module of its tasks. */
  get filename(): URL | string {
    return this.#spec.filename;
  }

  /** Resolves when one of its threads has loaded the module. */
  async start(incarnation: number): Promise<StartOutcome<SupervisedPoolRef>> {
    const { startTimeoutMs: afterMs } = this.#spec;
    this.#incarnation = incarnation;
    this.#state = "starting";
    this.#stopping = undefined;
    this.#isAlive = true;
    this.#host.lifeStarted(this);
    const failed = deferred<ExitReason>();
    this.#startFailed = failed.resolve;
    const timer = afterRunning(this.#host.clock, afterMs, () => this.#startFailed?.({ kind: "init_timeout", afterMs }));
    let reason: ExitReason | undefined;
    try {
      const threads: Runners = this.#startRunners({
        broken: (reason) => this.#broken(threads, reason),
        cannotLoad: (failure) => void this.#cannotLoad(threads, failure),
        measured: (tookUs, grewKb) => this.#tasks.measured(tookUs, grewKb),
        left: (recycled) => {
          if (recycled) this.#threadsRecycled++;
          this.#dispatch();
        },
      });
      this.#threads = threads;
      const loaded = new Promise<ExitReason | undefined>((resolve) => {
        threads.run(undefined, undefined, new Ending(), false, (end) =>
          resolve(end && { kind: "init_failed", error: this.#errorOf(threads, end, "load") }),
        );
      });
      reason = await Promise.race([loaded, failed.promise]);
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

  #startRunners(listener: PoolThreadsListener): Runners {
    if (this.#spec.isolation === "process") return new PoolProcesses(this.#spec, this.id, this.#host, listener);
    return new PoolThreads(this.#spec, this.id, this.#host, listener);
  }

  stop(request: StopRequest): Promise<StopOutcome> {
    const stopping = this.#stopping ?? this.#beginStop(request);
    this.#limit(stopping, request);
    return stopping.outcome.promise;
  }

  /** Ends its threads for this reason. For the supervisor the pool has ended by itself. */
  kill(reason: ExitReason): void {
    if (this.#stopping !== undefined)
      this.#limit(this.#stopping, { ...this.#stopping.request, shutdown: "brutal_kill" });
    else if (this.#threads !== undefined) this.#broken(this.#threads, reason);
  }

  /** Never called, because a pool traps no exits and monitors nothing. */
  info(): void {}

  park(reason: ExitReason): void {
    this.#state = "down";
    this.#tasks.refuseAll(reason);
  }

  dispose(): void {
    this.park(this.#lastReason);
    this.#host.poolDisposed(this);
  }

  run(task: TaskValue, options: TaskOptions): Promise<TaskValue> {
    if (this.#state === "down" || this.#state === "stopping")
      return Promise.reject(noproc(this, "run", this.#host.outbox.whyGone));
    const waits = this.#state !== "up" || this.#tasks.length > 0 || this.#threads?.hasPlace !== true;
    const outcome = this.#tasks.add(task, options, waits);
    this.#dispatch();
    return outcome;
  }

  stats(): PoolStats {
    const { maxThreads } = this.#spec;
    const runs = this.#state === "up" || this.#state === "stopping";
    return {
      state: runs ? "running" : this.#state === "down" ? "stopped" : "restarting",
      incarnation: this.#incarnation,
      restarts: Math.max(0, this.#incarnation - 1),
      threads: this.#threads?.count ?? 0,
      maxThreads,
      running: this.#running.size,
      threadsLost: this.#threadsLost,
      threadsRecycled: this.#threadsRecycled,
      ...this.#tasks.stats,
    };
  }

  #dispatch(): void {
    const threads = this.#threads;
    const draining = this.#state === "stopping" && this.#stopping?.request.restarting === false;
    while (threads !== undefined && (this.#state === "up" || draining) && threads.hasRoom) {
      const next = this.#tasks.take();
      if (next === undefined) return;
      this.#runNow(next, threads);
    }
  }

  #runNow(task: Task, threads: Runners): void {
    this.#running.add(task);
    const abortable = this.#spec.taskTimeoutMs !== Infinity || task.signal !== undefined;
    let value: TaskValue;
    try {
      value = takeTransferred(this.id, task.task);
    } catch (error) {
      this.#tasks.failed(task, error);
      this.#runEnded(task);
      return;
    }
    threads.run(task.name, value, task.end, abortable, (end, value) => {
      if (end === undefined) this.#tasks.completed(task, value as TaskValue);
      else if (task.signal?.aborted === true && end.timeOver === undefined) this.#tasks.aborted(task);
      else this.#tasks.failed(task, this.#errorOf(threads, end, task.name));
      this.#runEnded(task);
    });
  }

  #runEnded(task: Task): void {
    this.#running.delete(task);
    task.release();
    if (this.#stopping !== undefined) this.#stopping.drained++;
    this.#dispatch();
    this.#checkDrained();
  }

  /** The error that a task rejects with. Reports a lost thread; breaks the pool when the module cannot be loaded. */
  #errorOf(threads: Runners, end: TaskEnd, name: string): unknown {
    const { error, timeOver, notPosted } = end;
    if (isTaskFailure(error)) return error.of === "module" ? this.#cannotLoad(threads, error) : this.#thrown(error);
    if (notPosted) return notTransferable({ id: this.id }, error);
    const reason =
      timeOver?.kind === "unresponsive"
        ? { ...timeOver, method: name }
        : (timeOver ?? this.#closing ?? threads.lostThread(end));
    if (timeOver?.kind === "init_timeout") this.#broken(threads, timeOver);
    if (this.#closing === undefined) {
      this.#threadsLost++;
      this.#host.poolThreadLost(this, name, reason);
    }
    const runner = this.#spec.isolation === "process" ? "process" : "thread";
    const message = `id=${this.id} task=${name}: the ${runner} ended before the task did: ${describeExit(reason)}`;
    return new ActorError("ERR_CALL_EXIT", message, { id: this.id, method: name, reason });
  }

  #thrown({ error }: TaskFailure): unknown {
    return this.#host.outbox.codec.decodeValue(payloadOf(error));
  }

  /** Returns why. */
  #cannotLoad(threads: Runners, failure: TaskFailure): unknown {
    const error = explainModule(this.id, this.#thrown(failure), this.#spec.filename);
    this.#broken(threads, { kind: "error", error });
    return error;
  }

  #broken(threads: Runners, reason: ExitReason): void {
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
    const stopping: Stopping = {
      request,
      outcome: deferred(),
      deadline: new Deadline(this.#host.clock, () => void this.#end(stopping, true)),
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
        this.#startFailed?.(KILLED);
        break;
      default:
        // If threads are already closing, that path finishes the stop.
        if (this.#threads === undefined && this.#closing === undefined) this.#stopped(this.#lastReason, false, false);
    }
    return stopping;
  }

  /** Limits the stop while tasks run. Closing the threads has a limit of its own. */
  #limit({ deadline }: Stopping, request: StopRequest): void {
    if (this.#state === "stopping") deadline.drawIn(limitAt(request, this.#host.clock.now()));
  }

  #checkDrained(): void {
    const stopping = this.#stopping;
    if (stopping === undefined || this.#state !== "stopping" || this.#running.size > 0) return;
    if (stopping.request.restarting || this.#tasks.length === 0) void this.#end(stopping, false);
  }

  /** No task runs any more, or the time is over. */
  async #end(stopping: Stopping, killed: boolean): Promise<void> {
    if (this.#threads === undefined || this.#state !== "stopping") return;
    const { deadline, request } = stopping;
    deadline.cancel();
    this.#closing = request.reason;
    stopping.dropped += this.#running.size;
    stopping.drained -= this.#running.size;
    this.#state = "restarting";
    if (!request.restarting) {
      stopping.dropped += this.#tasks.length;
      this.#state = "down";
      this.#tasks.refuseAll(request.reason);
    }
    const closed = await this.#closeThreads();
    this.#stopped(request.reason, killed, !closed);
  }

  #stopped(reason: ExitReason, killed: boolean, zombie: boolean): void {
    const stopping = this.#stopping;
    if (stopping === undefined) return;
    this.#stopping = undefined;
    const { deadline, drained, dropped, outcome, request } = stopping;
    deadline.cancel();
    if (!request.restarting) this.#state = "down";
    this.#lastReason = reason;
    this.#ended(reason)();
    outcome.resolve({ reason, drained, dropped, killed, zombie });
  }

  #ended(reason: ExitReason): () => void {
    if (!this.#isAlive) return () => {};
    this.#isAlive = false;
    return this.#host.lifeEnded(this, reason);
  }
}
