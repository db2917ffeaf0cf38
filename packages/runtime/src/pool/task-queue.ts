import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { Queue, whenAborted } from "@mini-otp/worker-host/protocol/calls";
import { ActorError, describeExit, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { type TaskOptions, taskAborted } from "@mini-otp/worker-host/protocol/refs";
import type { TaskValue } from "@mini-otp/worker-host/protocol/values";
import type { PoolMemory, PoolStats, PoolTimes } from "../stats/pool-stats.js";
import { Ending } from "./ending.js";

export interface Task {
  readonly name: string;
  readonly task: TaskValue;
  readonly signal: AbortSignal | undefined;
  readonly queuedAt: number;
  startedAt: number;
  /** Ends it, waiting or running, because its time is over or its caller has given it up. */
  readonly end: Ending;
  /** Removes the listener from the caller's signal. */
  release(): void;
  resolve(value: TaskValue): void;
  reject(error: unknown): void;
}

const nothing = (): void => {};

type Counts = Pick<PoolStats, "completed" | "failed" | "aborted" | "rejected">;

/** A pool's tasks from `run` to their end: keeps those that wait, in order, and counts the outcomes. */
export class TaskQueue {
  readonly #id: string;
  readonly #maxQueue: number;
  readonly #left: () => void;
  readonly #waiting = new Queue<Task>();
  readonly #wait = createHistogram();
  readonly #run = createHistogram();
  /** Of the function alone, and of the thread's memory. */
  readonly #function = createHistogram();
  readonly #grewKb = createHistogram();
  readonly #counts: { -readonly [K in keyof Counts]: Counts[K] } = { completed: 0, failed: 0, aborted: 0, rejected: 0 };

  /** `left` is called when the caller of a waiting task has given it up. */
  constructor(id: string, maxQueue: number, left: () => void) {
    this.#id = id;
    this.#maxQueue = maxQueue;
    this.#left = left;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get stats(): Counts & Pick<PoolStats, "queueLength" | "maxQueue" | "wait" | "run" | "function" | "memory"> {
    return {
      queueLength: this.length,
      maxQueue: this.#maxQueue,
      ...this.#counts,
      wait: timesOf(this.#wait),
      run: timesOf(this.#run),
      function: timesOf(this.#function),
      memory: memoryOf(this.#grewKb),
    };
  }

  /**
   * `mustWait`: it will not be taken at once. Settles as the task does, or rejects with ERR_CALL_ABORTED or
   * ERR_MAILBOX_FULL.
   */
  add(
    task: TaskValue,
    { signal, name = "default", waits = false }: TaskOptions,
    mustWait: boolean,
  ): Promise<TaskValue> {
    const maxQueue = this.#maxQueue;
    if (signal?.aborted === true) {
      this.#counts.aborted++;
      return Promise.reject(taskAborted(this.#id, signal));
    }
    if (mustWait && !waits && this.length >= maxQueue) {
      this.#counts.rejected++;
      const message = `id=${this.#id}: the pool's queue is full (maxQueue=${maxQueue})`;
      return Promise.reject(new ActorError("ERR_MAILBOX_FULL", message, { id: this.#id, maxQueue }));
    }
    return new Promise((resolve, reject) => {
      const end = new Ending();
      const queuedAt = performance.now();
      const release = signal === undefined ? nothing : whenAborted(signal, () => this.#giveUp(queued));
      const queued: Task = { name, task, signal, queuedAt, startedAt: 0, end, release, resolve, reject };
      this.#waiting.push(queued);
    });
  }

  /** Takes the next task, whose time begins now. */
  take(): Task | undefined {
    const task = this.#waiting.shift();
    if (task === undefined) return undefined;
    task.startedAt = performance.now();
    record(this.#wait, task.startedAt - task.queuedAt);
    return task;
  }

  /** A thread has run a task's function. `grewKb` is 0 when its memory was not measured. */
  measured(tookUs: number, grewKb: number): void {
    this.#function.record(Math.max(1, tookUs));
    if (grewKb > 0) this.#grewKb.record(grewKb);
  }

  completed(task: Task, value: TaskValue): void {
    this.#counts.completed++;
    record(this.#run, performance.now() - task.startedAt);
    task.resolve(value);
  }

  failed(task: Task, error: unknown): void {
    this.#counts.failed++;
    record(this.#run, performance.now() - task.startedAt);
    task.reject(error);
  }

  aborted(task: Task): void {
    this.#counts.aborted++;
    task.reject(taskAborted(this.#id, task.signal as AbortSignal));
  }

  /** Rejects all waiting tasks, because the pool has ended. */
  refuseAll(reason: ExitReason): void {
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift()) {
      task.release();
      this.#counts.failed++;
      const message = `id=${this.#id} task=${task.name}: the pool ended before its turn: ${describeExit(reason)}`;
      task.reject(new ActorError("ERR_CALL_EXIT", message, { id: this.#id, method: task.name, reason }));
    }
  }

  #giveUp(task: Task): void {
    if (!this.#waiting.remove(task)) {
      task.end.abort();
      return;
    }
    this.aborted(task);
    this.#left();
  }
}

/** In microseconds, because histograms count whole numbers from 1. */
function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1000)));
}

function timesOf(histogram: RecordableHistogram): PoolTimes {
  const { count, mean, p50, p99, max } = summaryOf(histogram, 1000);
  return { count, meanMs: mean, p50Ms: p50, p99Ms: p99, maxMs: max };
}

function memoryOf(histogram: RecordableHistogram): PoolMemory {
  const { count, mean, p50, p99, max } = summaryOf(histogram, 1024);
  return { count, meanMb: mean, p50Mb: p50, p99Mb: p99, maxMb: max };
}

/** `unit`: how many of what was recorded are one. */
function summaryOf(histogram: RecordableHistogram, unit: number) {
  const { count } = histogram;
  if (count === 0) return { count, mean: 0, p50: 0, p99: 0, max: 0 };
  return {
    count,
    mean: histogram.mean / unit,
    p50: histogram.percentile(50) / unit,
    p99: histogram.percentile(99) / unit,
    max: histogram.max / unit,
  };
}
