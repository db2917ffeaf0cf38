import type { RecycleOptions } from "../supervision/child-spec.js";

/** A thread or process as the pool sees it. */
interface Runner {
  /** How many tasks it runs. */
  readonly currentUsage: number;
}

interface Thread {
  tasks: number;
  /** It has reached a limit. */
  isDue: boolean;
  timer: NodeJS.Timeout | undefined;
  worker: Runner | undefined;
}

/** A thread that gets no more tasks, and is told to leave once it runs none. */
interface Leaving {
  readonly threadId: number;
  isTold: boolean;
}

/**
 * Replaces the threads of a pool that have done enough, between two tasks and one at a time. `leave` tells a thread to
 * exit; the pool starts another when it needs one. Meanwhile the pool has room for `reserved` tasks less, because a task
 * that finds no thread would wait behind it.
 */
export class Recycling {
  readonly #options: RecycleOptions;
  readonly #tasksPerThread: number;
  readonly #leave: (threadId: number) => void;
  readonly #threads = new Map<number, Thread>();
  #leaving: Leaving | undefined;

  constructor(options: RecycleOptions, tasksPerThread: number, leave: (threadId: number) => void) {
    this.#options = options;
    this.#tasksPerThread = tasksPerThread;
    this.#leave = leave;
  }

  started(threadId: number): void {
    const { afterMs } = this.#options;
    const thread: Thread = { tasks: 0, isDue: false, timer: undefined, worker: undefined };
    this.#threads.set(threadId, thread);
    if (afterMs === undefined) return;
    thread.timer = setTimeout(() => {
      thread.isDue = true;
      this.#next();
    }, afterMs).unref();
  }

  /** `called`: its function was. `memoryMb` is 0 when it was not measured. */
  taskEnded(threadId: number, called: boolean, memoryMb: number): void {
    const thread = this.#threads.get(threadId);
    if (thread === undefined) return;
    const { afterTasks = Infinity, overMb = Infinity } = this.#options;
    if (called) thread.tasks++;
    if (thread.tasks >= afterTasks || memoryMb > overMb) thread.isDue = true;
    this.#next();
  }

  /** It has not left, because it has not got the message in time. */
  stayed(threadId: number): void {
    if (this.#leaving?.threadId !== threadId) return;
    this.#leaving.isTold = false;
    this.#next();
  }

  /** How many tasks the thread that leaves would have room for. */
  get reserved(): number {
    return this.#leaving === undefined ? 0 : this.#tasksPerThread;
  }

  /** Returns whether it was to leave, and whether it has done so because it was told. */
  exited(threadId: number): { readonly wasLeaving: boolean; readonly wasTold: boolean } {
    clearTimeout(this.#threads.get(threadId)?.timer);
    this.#threads.delete(threadId);
    const leaving = this.#leaving;
    if (leaving?.threadId !== threadId) return { wasLeaving: false, wasTold: false };
    this.#leaving = undefined;
    this.#next();
    return { wasLeaving: true, wasTold: leaving.isTold };
  }

  close(): void {
    for (const { timer } of this.#threads.values()) clearTimeout(timer);
    this.#threads.clear();
  }

  /** The thread runs tasks from now on. */
  shown(threadId: number, worker: Runner): void {
    const thread = this.#threads.get(threadId);
    if (thread !== undefined) thread.worker = worker;
  }

  /** The thread that gets no more tasks. */
  get leavingId(): number | undefined {
    return this.#leaving?.threadId;
  }

  #next(): void {
    if (this.#leaving === undefined) {
      for (const [threadId, { isDue, worker }] of this.#threads) {
        // A thread that has not been shown yet is starting, and tasks may wait for it.
        if (!isDue || worker === undefined) continue;
        this.#leaving = { threadId, isTold: false };
        break;
      }
    }
    const leaving = this.#leaving;
    if (leaving === undefined || leaving.isTold) return;
    if (this.#threads.get(leaving.threadId)?.worker?.currentUsage !== 0) return;
    leaving.isTold = true;
    this.#leave(leaving.threadId);
  }
}
