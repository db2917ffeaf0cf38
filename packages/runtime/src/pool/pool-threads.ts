import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { ActorError, type ExitReason, KILLED } from "@mini-otp/worker-host/protocol/errors";
import {
  askUnlessLeavingBy,
  attentionTable,
  ConsumerState,
  leavingThreads,
  releaseAttention,
  ring,
  SLOT_HEADER_WORDS,
  stopWaiting,
  whenOneLeaves,
} from "@mini-otp/worker-host/protocol/memory";
import { CALLED, POOL_MAIN, type PoolThreadData, type TaskMessage } from "@mini-otp/worker-host/protocol/port";
import { type TaskValue, transferListOf } from "@mini-otp/worker-host/protocol/values";
import { Piscina } from "piscina";
import type { Guard } from "../guard/guard.js";
import { HAS_HEAP_STATISTICS, type HeapStatistics } from "../guard/probe.js";
import type { GuardedThread } from "../guard/watched.js";
import type { FullPoolSpec } from "../supervision/child-spec.js";
import { systemClock, type Timer } from "../supervision/clock.js";
import { afterRunning } from "../supervision/running-time.js";
import { moduleCandidates } from "../threads/actor-module.js";
import { inheritedExecArgv, limitsFor, threadEnv, workerEnv } from "../threads/actor-thread.js";
import { EXITING_MS, ZOMBIE_MS } from "../threads/end-limits.js";
import { OpenQuestions } from "../threads/open-questions.js";
import { IS_BUNDLED } from "../threads/thread-code.js";
import { forwardOutput } from "../threads/thread-output.js";

/** How often main checks whether a task's function has been called. */
const BEGIN_CHECK_MS = 20;

export interface PoolThreadsHost {
  readonly guard: Guard;
  readonly headroomMb: number;
}

interface Thread {
  readonly id: number;
  readonly guarded: GuardedThread;
  readonly words: Int32Array;
}

/**
 * One incarnation of a pool: piscina's threads. The guard holds them to their caps, because it is not safe to reach
 * V8's own limit: see docs/isolation.md.
 */
export class PoolThreads {
  readonly #spec: FullPoolSpec;
  readonly #path: string;
  readonly #host: PoolThreadsHost;
  readonly #piscina: Piscina;
  readonly #bell: Int32Array;
  /** For each task that may run at a time, two words: see TaskMessage. */
  readonly #running: Int32Array;
  readonly #attention: Int32Array;
  readonly #free: number[];
  readonly #threads = new Map<Worker, Thread>();
  /** Exit reasons of the threads that the guard has ended, by thread id. */
  readonly #killed = new Map<number, ExitReason>();
  /** By the number of a thread on its way out: what kills it if it stays. */
  readonly #exiting = new Map<number, NodeJS.Timeout>();
  #closed = false;

  /** `onBroken` is called when a thread ends while it runs no task. */
  constructor(spec: FullPoolSpec, path: string, host: PoolThreadsHost, onBroken: (error: unknown) => void) {
    if (IS_BUNDLED) {
      const why =
        "a pool's threads are made of files of piscina's and @mini-otp/worker-host's, which are inside this bundle";
      throw new ActorError("ERR_ACTOR_MODULE", `id=${path}: ${why}: see docs/bundling.md`, { id: path });
    }
    this.#spec = spec;
    this.#path = path;
    this.#host = host;
    this.#bell = new Int32Array(host.guard.bell);
    const { maxThreads, concurrentTasksPerWorker, heapCapMb, offHeapCapMb } = spec;
    const places = maxThreads * concurrentTasksPerWorker;
    this.#running = new Int32Array(new SharedArrayBuffer(places * 8));
    // Twice, because piscina starts the next thread while one ends.
    this.#attention = attentionTable(2 * maxThreads);
    this.#free = Array.from({ length: places }, (_, i) => i);
    const data: PoolThreadData = { id: path, moduleUrls: moduleCandidates(spec.filename), offHeapCapMb };
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
    } as ConstructorParameters<typeof Piscina>[0]);
    this.#piscina.on("error", (error) => {
      if (!isLateResult(error)) onBroken(error);
    });
    this.#adopt();
    this.#watchExits();
  }

  /** Whether another task can run now. */
  get hasRoom(): boolean {
    return this.#free.length > 0;
  }

  get count(): number {
    return this.#piscina.threads.length;
  }

  /**
   * Runs a task; `hasRoom` must be true. When the task settles its place is free again. Rejects with a TaskEnd. For an
   * `abortable` task `end` aborts it by ending its thread, which piscina gives to no other task meanwhile.
   */
  async run(
    name: string | undefined,
    task: TaskValue | undefined,
    end: AbortController,
    abortable: boolean,
  ): Promise<TaskValue> {
    const place = this.#free.pop() as number;
    this.#running.fill(0, 2 * place, 2 * place + 2);
    const message: TaskMessage = { name, task, place, running: this.#running, attention: this.#attention };
    const { taskTimeoutMs } = this.#spec;
    const time: TaskTime = { timer: undefined, over: undefined };
    if (abortable && taskTimeoutMs !== Infinity) this.#limit(place, time, end, this.#spec.startTimeoutMs);
    try {
      const signal = abortable ? end.signal : null;
      const transferList = task === undefined ? [] : transferListOf(task);
      const result = this.#piscina.run(message, { transferList: transferList as never, signal });
      this.#adopt();
      this.#watch(true);
      return await result;
    } catch (error) {
      const [threadId] = this.#running.subarray(2 * place);
      // A port in the task was closed while the task waited for a thread to start.
      const notPosted = threadId === 0 && (error as { name?: unknown } | null)?.name === "DataCloneError";
      throw new TaskEnd(error, threadId, time.over, notPosted);
    } finally {
      time.timer?.cancel();
      this.#free.push(place);
      if (2 * this.#free.length === this.#running.length) this.#watch(false);
    }
  }

  /**
   * Limits the time of a task, which begins when its function is called. A thread that has to start first has its own
   * limit.
   */
  #limit(place: number, time: TaskTime, end: AbortController, loadLeftMs: number): void {
    const { taskTimeoutMs, startTimeoutMs } = this.#spec;
    const endFor = (over: ExitReason): void => {
      time.over = over;
      end.abort();
    };
    time.timer = afterRunning(systemClock, BEGIN_CHECK_MS, () => {
      if (Atomics.load(this.#running, 2 * place + 1) === CALLED) {
        const over = (): void => endFor({ kind: "unresponsive", method: "", afterMs: taskTimeoutMs });
        time.timer = afterRunning(systemClock, Math.max(0, taskTimeoutMs - BEGIN_CHECK_MS), over);
      } else if (loadLeftMs <= BEGIN_CHECK_MS) {
        endFor({ kind: "init_timeout", afterMs: startTimeoutMs });
      } else {
        this.#limit(place, time, end, loadLeftMs - BEGIN_CHECK_MS);
      }
    });
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
        // Later, because the task that ran there reads the reason in this turn of the event loop.
        setImmediate(() => this.#killed.delete(id));
      });
    }
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

  /** Tells the guard whether the threads are busy. */
  #watch(busy: boolean): void {
    for (const { words } of this.#threads.values()) {
      new ConsumerState(words).pretend({ sleeps: !busy, runsCallbacks: busy });
    }
    if (busy) ring(this.#bell, 0);
  }
}

interface TaskTime {
  timer: Timer | undefined;
  /** Set when the task took too long. */
  over: ExitReason | undefined;
}

/** What a task rejects with when it has no result. */
export class TaskEnd {
  /** A TaskFailure, or piscina's error about the thread. */
  readonly error: unknown;
  /** 0 when no thread had the task yet. */
  readonly threadId: number;
  readonly timeOver: ExitReason | undefined;
  /** Something that the task transfers was closed or detached before it could be posted. */
  readonly notPosted: boolean;

  constructor(error: unknown, threadId: number, timeOver: ExitReason | undefined, notPosted: boolean) {
    this.error = error;
    this.threadId = threadId;
    this.timeOver = timeOver;
    this.notPosted = notPosted;
  }
}

function guardedThread(worker: Worker, threadId: number, attention: Int32Array): GuardedThread {
  const { terminate } = worker;
  const questions = new OpenQuestions();
  let answered: Promise<void> | undefined;
  // Piscina ends threads too. An ending thread must not be asked anything (see attention.ts), and it ends when it has
  // answered.
  worker.terminate = async () => {
    answered ??= new Promise((resolve) => questions.whenAnswered(resolve));
    await answered;
    return terminate.call(worker);
  };
  return {
    threadId,
    ask: (ask) => {
      if (answered !== undefined) return undefined;
      const answer = askUnlessLeavingBy(attention, threadId, ask);
      questions.asked(answer);
      return answer;
    },
    heapStatistics: () =>
      HAS_HEAP_STATISTICS
        ? (worker as Worker & { getHeapStatistics(): Promise<HeapStatistics> }).getHeapStatistics()
        : undefined,
    loopIdleMs: () => worker.performance.eventLoopUtilization().idle,
  };
}

/**
 * Piscina's words for a result whose task was aborted before: Node delivers what is in a port also after `close`, until
 * it has emptied the port. The thread is ended already, and the pool is whole.
 */
function isLateResult(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Unexpected message from Worker: ");
}
