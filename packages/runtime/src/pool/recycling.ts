import type { TaskMessage } from "@mini-otp/worker-host/protocol/port";
import { Piscina } from "piscina";
import type { RecycleOptions } from "../supervision/child-spec.js";

const queueOptionsSymbol: unique symbol = Piscina.queueOptionsSymbol as never;

/** A task for one thread. */
interface Addressed {
  readonly [queueOptionsSymbol]?: { readonly threadId: number } | null;
}

// Piscina exports no names for these.
type Balancer = NonNullable<NonNullable<ConstructorParameters<typeof Piscina>[0]>["loadBalancer"]>;
type PiscinaWorker = Parameters<Balancer>[1][number];

interface Thread {
  tasks: number;
  /** It has reached a limit. */
  isDue: boolean;
  timer: NodeJS.Timeout | undefined;
  worker: PiscinaWorker | undefined;
}

/** A thread that gets no more tasks, and is told to leave once it runs none. */
interface Leaving {
  readonly threadId: number;
  isTold: boolean;
}

/**
 * Replaces the threads of a pool that have done enough, between two tasks and one at a time. `leave` tells a thread to
 * exit; piscina starts another when it needs one. Meanwhile the pool has room for `reserved` tasks less, because a task
 * that finds no thread would wait inside piscina.
 */
export class Recycling {
  readonly #options: RecycleOptions;
  readonly #tasksPerThread: number;
  readonly #leave: (message: TaskMessage, threadId: number) => void;
  readonly #threads = new Map<number, Thread>();
  #leaving: Leaving | undefined;

  constructor(
    options: RecycleOptions,
    tasksPerThread: number,
    leave: (message: TaskMessage, threadId: number) => void,
  ) {
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

  /** It has not left, because piscina has not given it the message in time. */
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

  /** For piscina: its own choice, the thread that is the least busy, without the one that leaves. */
  readonly balancer: Balancer = (task, workers) => {
    const wanted = (task as Addressed)[queueOptionsSymbol]?.threadId;
    let chosen: PiscinaWorker | null = null;
    let least = task.isAbortable ? 1 : this.#tasksPerThread;
    for (const worker of workers) {
      const { id, currentUsage } = worker;
      const thread = this.#threads.get(id);
      if (thread !== undefined) thread.worker = worker;
      if (wanted === undefined ? id === this.#leaving?.threadId : id !== wanted) continue;
      if (currentUsage >= least) continue;
      chosen = worker;
      least = currentUsage;
    }
    return chosen;
  };

  #next(): void {
    if (this.#leaving === undefined) {
      for (const [threadId, { isDue, worker }] of this.#threads) {
        // A thread that piscina has not shown yet is starting, and tasks may wait for it.
        if (!isDue || worker === undefined) continue;
        this.#leaving = { threadId, isTold: false };
        break;
      }
    }
    const leaving = this.#leaving;
    if (leaving === undefined || leaving.isTold) return;
    if (this.#threads.get(leaving.threadId)?.worker?.currentUsage !== 0) return;
    leaving.isTold = true;
    const { threadId } = leaving;
    const message: TaskMessage = { name: undefined, task: undefined, place: -1, leaves: true };
    const address: Addressed = { [queueOptionsSymbol]: { threadId } };
    this.#leave({ ...message, ...address }, threadId);
  }
}
