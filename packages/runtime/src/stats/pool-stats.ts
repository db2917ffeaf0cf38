/** Milliseconds, over all tasks since the pool started; 0 before the first task. */
export interface PoolTimes {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
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
  /** Time from `run` until a thread had the task. */
  readonly wait: PoolTimes;
  /** Time from then until the task ended. Without aborted tasks. */
  readonly run: PoolTimes;
}
