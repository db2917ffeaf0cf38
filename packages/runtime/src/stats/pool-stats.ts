/** Milliseconds, of the tasks of the pool's whole life. 0 before there was one. */
export interface PoolTimes {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface PoolStats {
  readonly state: "running" | "restarting" | "stopped";
  readonly incarnation: number;
  readonly restarts: number;
  readonly threads: number;
  readonly maxThreads: number;
  /** Tasks that wait for a thread. */
  readonly queueLength: number;
  readonly maxQueue: number;
  /** Tasks being run. */
  readonly running: number;
  /** Tasks that have returned. */
  readonly completed: number;
  /** Tasks that have thrown, or whose thread ended. */
  readonly failed: number;
  /** Tasks that were given up by who had asked for them. */
  readonly aborted: number;
  /** Tasks that found the queue full. */
  readonly rejected: number;
  /** Threads that ended before their task. */
  readonly threadsLost: number;
  /** From `run` until a thread had the task. */
  readonly wait: PoolTimes;
  /** From then until the task had ended, if it was not aborted. */
  readonly run: PoolTimes;
}
