import { fileURLToPath } from "node:url";
import { setEnvironmentData, type Worker } from "node:worker_threads";
import { ActorError, type ExitReason, KILLED } from "@mini-otp/worker-host/protocol/errors";
import {
  attentionTable,
  ConsumerState,
  leavingThreads,
  releaseAttention,
  ring,
  SLOT_HEADER_WORDS,
  stopWaiting,
  whenOneLeaves,
} from "@mini-otp/worker-host/protocol/memory";
import {
  CALLED,
  PLACE_GREW_KB,
  PLACE_MEMORY_KB,
  PLACE_STAGE,
  PLACE_THREAD,
  PLACE_TOOK_US,
  PLACE_WORDS,
  POOL_MAIN,
  type PoolTables,
  type PoolThreadData,
  type PostedResult,
  packTask,
  type TaskFailure,
  type TaskMessage,
  unpackResult,
} from "@mini-otp/worker-host/protocol/port";
import { type TaskValue, transferListOf } from "@mini-otp/worker-host/protocol/values";
import { Piscina } from "piscina";
import type { Guard } from "../guard/guard.js";
import type { GuardedThread } from "../guard/watched.js";
import type { FullPoolSpec } from "../supervision/child-spec.js";
import { systemClock } from "../supervision/clock.js";
import { moduleCandidates } from "../threads/actor-module.js";
import { inheritedExecArgv, limitsFor, threadEnv, workerEnv } from "../threads/actor-thread.js";
import { EXITING_MS, ZOMBIE_MS } from "../threads/end-limits.js";
import { IS_BUNDLED } from "../threads/thread-code.js";
import { forwardOutput } from "../threads/thread-output.js";
import { Ending } from "./ending.js";
import { guardedThread } from "./guarded-pool-thread.js";
import { addressTo, balancerFor } from "./piscina-balancer.js";
import { Recycling } from "./recycling.js";
import { TaskEnd } from "./task-end.js";
import { type TaskLimit, TaskLimits } from "./task-limits.js";

/** The guard looks at the threads until they have had no task for this long, so that tiny tasks do not wake it each. */
const REST_MS = 50;

const NOTHING: readonly never[] = [];
let lastTables = 0;

export interface PoolThreadsHost {
  readonly guard: Guard;
  readonly headroomMb: number;
}

/** What its pool wants to know. */
export interface PoolThreadsListener {
  /** A thread or process ended while it ran no task. */
  broken(reason: ExitReason): void;
  /** A process with no task cannot load the module. */
  cannotLoad(failure: TaskFailure): void;
  /** A task's function has ended. `grewKb` is 0 when memory was not measured. */
  measured(tookUs: number, grewKb: number): void;
  /** A thread that was to leave has ended, so there is room again. `recycled`: between two tasks, as it was told. */
  left(recycled: boolean): void;
}

interface Thread {
  readonly id: number;
  readonly guarded: GuardedThread;
  readonly words: Int32Array;
}

/**
 * One incarnation of a pool: piscina's threads. The guard holds them to their caps, because it is not safe to reach
 * V8's own limit: see docs/isolation.md. Over 350 lines, because each event of piscina's about a thread or a task changes
 * one table of threads.
 */
export class PoolThreads {
  readonly #spec: FullPoolSpec;
  readonly #path: string;
  readonly #host: PoolThreadsHost;
  readonly #piscina: Piscina;
  readonly #listener: PoolThreadsListener;
  readonly #bell: Int32Array;
  /** See PoolTables. */
  readonly #tables: string;
  readonly #places: Int32Array;
  readonly #placeCount: number;
  readonly #attention: Int32Array;
  readonly #recycling: Recycling | undefined;
  readonly #free: number[];
  readonly #threads = new Map<Worker, Thread>();
  /** Exit reasons of the threads that the guard has ended, by thread id. */
  readonly #killed = new Map<number, ExitReason>();
  /** By the number of a thread on its way out: what kills it if it stays. */
  readonly #exiting = new Map<number, NodeJS.Timeout>();
  #closed = false;
  /** Set while the guard looks at the threads. */
  #rest: NodeJS.Timeout | undefined;
  #hasRun = false;
  readonly #limits: TaskLimits | undefined;

  constructor(spec: FullPoolSpec, path: string, host: PoolThreadsHost, listener: PoolThreadsListener) {
    checkNotBundled(path);
    this.#spec = spec;
    this.#path = path;
    this.#host = host;
    this.#bell = new Int32Array(host.guard.bell);
    this.#listener = listener;
    const { maxThreads, concurrentTasksPerWorker, heapCapMb, offHeapCapMb, recycle } = spec;
    this.#placeCount = maxThreads * concurrentTasksPerWorker;
    this.#places = new Int32Array(new SharedArrayBuffer(this.#placeCount * PLACE_WORDS * 4));
    // Twice, because piscina starts the next thread while one ends.
    this.#attention = attentionTable(2 * maxThreads);
    this.#free = Array.from({ length: this.#placeCount }, (_, i) => i);
    this.#tables = `mini-otp pool ${++lastTables}`;
    const tables: PoolTables = { places: this.#places, attention: this.#attention };
    setEnvironmentData(this.#tables, tables as never);
    const moduleUrls = moduleCandidates(spec.filename);
    const data: PoolThreadData = { id: path, moduleUrls, offHeapCapMb, tables: this.#tables };
    this.#recycling =
      recycle === undefined
        ? undefined
        : new Recycling(recycle, concurrentTasksPerWorker, (threadId) => this.#leave(threadId));
    const { taskTimeoutMs, startTimeoutMs } = spec;
    if (taskTimeoutMs !== Infinity) {
      const stageOf = (words: number): number => Atomics.load(this.#places, words + PLACE_STAGE);
      this.#limits = new TaskLimits(systemClock, taskTimeoutMs, startTimeoutMs, stageOf);
    }
    this.#piscina = new Piscina({
      filename: fileURLToPath(POOL_MAIN),
      minThreads: spec.minThreads,
      maxThreads,
      idleTimeout: spec.idleTimeoutMs,
      concurrentTasksPerWorker,
      resourceLimits: limitsFor(heapCapMb, host.headroomMb),
      argv: [JSON.stringify(data)],
      // Piscina passes it to each worker, so that what is inherited is copied at each start.
      env: workerEnv(threadEnv(spec.env)),
      ...(spec.execArgv === undefined ? {} : { execArgv: [...inheritedExecArgv(), ...spec.execArgv] }),
      workerData: spec.workerData,
      recordTiming: false,
      ...(this.#recycling === undefined
        ? {}
        : { loadBalancer: balancerFor(this.#recycling, concurrentTasksPerWorker) }),
    } as ConstructorParameters<typeof Piscina>[0]);
    this.#piscina.on("error", (error) => {
      if (!isLateResult(error)) listener.broken({ kind: "error", error });
    });
    this.#adopt();
    this.#watchExits();
  }

  /** Whether another task can run now. */
  get hasRoom(): boolean {
    return this.#free.length > (this.#recycling?.reserved ?? 0);
  }

  /** Whether another task can run now, or once the thread that leaves has been replaced. */
  get hasPlace(): boolean {
    return this.#free.length > 0;
  }

  get count(): number {
    return this.#piscina.threads.length;
  }

  /**
   * Runs a task; `hasRoom` must be true. Calls `done` with its result, or with how it ended, once its place is free again.
   * For an `abortable` task `end` aborts it by ending its thread, which piscina gives to no other task meanwhile.
   */
  run(
    name: string | undefined,
    task: TaskValue | undefined,
    end: Ending,
    abortable: boolean,
    done: (end: TaskEnd | undefined, value: TaskValue | undefined) => void,
  ): void {
    const place = this.#free.pop() as number;
    const words = place * PLACE_WORDS;
    this.#places.fill(0, words, words + PLACE_WORDS);
    const message: TaskMessage = { name, task, place };
    const limit = abortable ? this.#limits?.begin(words, end) : undefined;
    const signal = (abortable ? end : null) as AbortSignal | null;
    const transferList = task === undefined ? NOTHING : transferListOf(task);
    const result: Promise<PostedResult> = this.#piscina.run(packTask(message), {
      transferList: transferList as never,
      signal,
    });
    this.#adopt();
    this.#watch();
    result.then(
      (value) => {
        this.#settled(place, limit);
        done(undefined, unpackResult(value));
      },
      (error: unknown) => {
        const threadId = this.#places[words + PLACE_THREAD];
        this.#settled(place, limit);
        // A port in the task was closed while the task waited for a thread to start.
        const notPosted = threadId === 0 && (error as { name?: unknown } | null)?.name === "DataCloneError";
        done(new TaskEnd(error, threadId, limit?.over, notPosted), undefined);
      },
    );
  }

  /** Takes the figures that the thread has left. */
  #settled(place: number, limit: TaskLimit | undefined): void {
    const places = this.#places;
    const words = place * PLACE_WORDS;
    if (limit !== undefined) this.#limits?.end(limit);
    this.#free.push(place);
    const tookUs = places[words + PLACE_TOOK_US];
    if (tookUs > 0) this.#listener.measured(tookUs, places[words + PLACE_GREW_KB]);
    const called = places[words + PLACE_STAGE] === CALLED;
    this.#recycling?.taskEnded(places[words + PLACE_THREAD], called, places[words + PLACE_MEMORY_KB] / 1024);
  }

  /** Has a thread that runs no task exit. It does so itself, so that its exit handlers run. */
  #leave(threadId: number): void {
    const message: TaskMessage = { name: undefined, task: undefined, place: -1, leaves: true, ...addressTo(threadId) };
    const end = new Ending();
    const kill = setTimeout(() => end.abort(), EXITING_MS).unref();
    const stayed = (): void => {
      clearTimeout(kill);
      if (!this.#closed) this.#recycling?.stayed(threadId);
    };
    this.#piscina.run(message, { signal: end as unknown as AbortSignal }).then(stayed, stayed);
  }

  /** The exit reason of a thread that ended before its task. */
  lostThread({ error, threadId }: TaskEnd): ExitReason {
    const killed = this.#killed.get(threadId);
    if (killed !== undefined) return killed;
    const { code, message } = error as { code?: unknown; message?: unknown };
    const { heapCapMb } = this.#spec;
    if (code === "ERR_WORKER_OUT_OF_MEMORY") return { kind: "heap_cap_exceeded", heapCapMb, usedMb: heapCapMb };
    // Piscina's message for an unexpected exit.
    const exited = /^worker exited with code: (\d+)$/.exec(String(message));
    if (exited !== null) return { kind: "exit_called", code: Number(exited[1]) };
    if (message === "Terminating worker thread") return KILLED;
    return { kind: "error", error };
  }

  /** Ends all threads. Resolves to false when one has not ended within a second. */
  async close(): Promise<boolean> {
    this.#closed = true;
    clearTimeout(this.#rest);
    this.#limits?.close();
    this.#recycling?.close();
    setEnvironmentData(this.#tables, undefined);
    stopWaiting(this.#attention);
    for (const timer of this.#exiting.values()) clearTimeout(timer);
    this.#piscina.removeAllListeners("error");
    this.#piscina.on("error", () => {});
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), ZOMBIE_MS);
    });
    const closed = await Promise.race([this.#piscina.destroy().then(() => true), late]);
    clearTimeout(timer);
    for (const { guarded } of this.#threads.values()) this.#host.guard.forget(guarded);
    return closed;
  }

  /** Puts the threads that piscina has started since the last call under the guard. */
  #adopt(): void {
    const { guard } = this.#host;
    const { heapCapMb, offHeapCapMb } = this.#spec;
    for (const worker of this.#piscina.threads as Worker[]) {
      if (this.#threads.has(worker)) continue;
      const id = worker.threadId;
      const words = new Int32Array(SLOT_HEADER_WORDS);
      new ConsumerState(words).pretend({ sleeps: false, runsCallbacks: true });
      const guarded = guardedThread(worker, id, this.#attention);
      this.#threads.set(worker, { id, guarded, words });
      this.#recycling?.started(id);
      forwardOutput(worker);
      const kill = (reason: ExitReason): void => {
        this.#killed.set(id, reason);
        void worker.terminate();
      };
      const spec = { heapCapMb, offHeapCapMb, handlerTimeoutMs: Infinity };
      guard.guard(guarded, { id: `${this.#path} (thread ${id})`, spec, running: false, kill }, words);
      worker.once("exit", () => {
        guard.forget(guarded);
        releaseAttention(this.#attention, id);
        clearTimeout(this.#exiting.get(id));
        this.#exiting.delete(id);
        this.#threads.delete(worker);
        this.#replaced(id);
        // Later, because the task that ran there reads the reason in this turn of the event loop.
        setImmediate(() => this.#killed.delete(id));
      });
    }
  }

  /** A thread has exited, and piscina may have started another in its place. */
  #replaced(id: number): void {
    const { wasLeaving = false, wasTold = false } = this.#recycling?.exited(id) ?? {};
    if (this.#closed) return;
    this.#adopt();
    if (wasLeaving) this.#listener.left(wasTold);
  }

  /** Sees to it that threads which say that they exit do: one whose exit handlers never return keeps its task for ever. */
  #watchExits(): void {
    if (this.#closed) return;
    const another = whenOneLeaves(this.#attention);
    for (const thread of leavingThreads(this.#attention)) {
      if (this.#exiting.has(thread.threadId)) continue;
      const timer = setTimeout(() => this.#endExiting(thread.threadId), EXITING_MS).unref();
      this.#exiting.set(thread.threadId, timer);
    }
    void Promise.resolve(another).then(() => this.#watchExits());
  }

  #endExiting(threadId: number): void {
    this.#exiting.delete(threadId);
    // It may have stayed: its exit was refused.
    const leaving = leavingThreads(this.#attention).find((thread) => thread.threadId === threadId);
    if (leaving === undefined) return;
    this.#adopt();
    for (const [worker, { id }] of this.#threads) {
      if (id !== threadId) continue;
      this.#killed.set(id, { kind: "exit_called", code: leaving.exitCode });
      void worker.terminate();
    }
  }

  /** Has the guard look at the threads. */
  #watch(): void {
    this.#hasRun = true;
    if (this.#rest !== undefined) return;
    this.#pretend(true);
    ring(this.#bell, 0);
    this.#restLater();
  }

  /** One timer for all tasks: it looks whether any has begun meanwhile. */
  #restLater(): void {
    this.#hasRun = false;
    this.#rest = setTimeout(() => {
      if (this.#hasRun || this.#free.length < this.#placeCount) return this.#restLater();
      this.#rest = undefined;
      this.#pretend(false);
    }, REST_MS).unref();
  }

  #pretend(busy: boolean): void {
    for (const { words } of this.#threads.values()) {
      new ConsumerState(words).pretend({ sleeps: !busy, runsCallbacks: busy });
    }
  }
}

/** Throws ERR_ACTOR_MODULE. */
export function checkNotBundled(path: string): void {
  if (!IS_BUNDLED) return;
  const why =
    "what runs a pool's tasks is made of files of piscina's and @mini-otp/worker-host's, which are inside this bundle";
  throw new ActorError("ERR_ACTOR_MODULE", `id=${path}: ${why}: see docs/bundling.md`, { id: path });
}

/**
 * Piscina's words for a result whose task was aborted before: Node delivers what is in a port also after `close`, until
 * it has emptied the port. The thread is ended already, and the pool is whole.
 */
function isLateResult(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Unexpected message from Worker: ");
}
