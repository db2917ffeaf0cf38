/** Milliseconds, over all tasks since the pool started; 0 before the first task. */
export interface PoolTimes {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * By how much a thread's memory (its heap and buffers, garbage that is not collected yet included) had grown at the end of
 * a task, in MiB. It is measured once in a millisecond at most: shorter tasks are measured together with the next one.
 * 0 before the first.
 */
export interface PoolMemory {
  readonly count: number;
  readonly meanMb: number;
  readonly p50Mb: number;
  readonly p99Mb: number;
  readonly maxMb: number;
}

/** A pool's numbers over all of its incarnations. */
export interface PoolStats {
  readonly state: "running" | "restarting" | "stopped";
  readonly incarnation: number;
  readonly restarts: number;
  readonly threads: number;
  readonly maxThreads: number;
  /** Tasks waiting for a thread. */
  readonly queueLength: number;
  readonly maxQueue: number;
  /** Tasks being run. */
  readonly running: number;
  /** Tasks that have returned. */
  readonly completed: number;
  /** Tasks that threw, or whose thread ended. */
  readonly failed: number;
  /** Tasks that their caller aborted. */
  readonly aborted: number;
  /** Tasks that were refused because the queue was full. */
  readonly rejected: number;
  /** Threads that ended before their task. */
  readonly threadsLost: number;
  /** Threads that were replaced between two tasks because of `recycle`. */
  readonly threadsRecycled: number;
  /** Time from `run` until a thread had the task. */
  readonly wait: PoolTimes;
  /** Time from then until the task ended. Without aborted tasks. */
  readonly run: PoolTimes;
  /** Time in the function itself, measured in the thread. Without tasks whose thread ended. */
  readonly function: PoolTimes;
  /** What tasks added to their thread's memory. */
  readonly memory: PoolMemory;
}
