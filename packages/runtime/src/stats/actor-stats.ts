/** A snapshot read from shared memory: it answers for a hung actor too. Counts are over all incarnations. */
export interface ActorStats {
  /** `suspended`: it runs, and takes no message before `resume`. */
  readonly state: "running" | "suspended" | "stopped";
  readonly incarnation: number;
  readonly restarts: number;
  readonly mailbox: {
    /** Messages accepted and not yet taken by a handler. */
    readonly length: number;
    readonly bytes: number;
    readonly capacity: number;
    readonly capacityBytes: number;
    readonly enqueued: number;
    readonly handled: number;
    readonly dropped: number;
    /** How long senders have waited for room, in sum. */
    readonly blockedMs: number;
    /**
     * How long the first message that waits has done so. Exact while handlers take more than 10 µs or the actor
     * sleeps; else it may be 0.25 s more, or the time in which the fifteen messages after it were sent.
     */
    readonly oldestAgeMs: number;
  };
  /** As of the last time it was busy; 0 before it was ever looked at. */
  readonly heapUsedMb: number;
  readonly heapCapMb: number;
  readonly offHeapMb: number;
  /** For how long its thread has not let itself be looked at: it is inside one native operation. 0 when it does. */
  readonly silentMs: number;
  /**
   * What its threads have used of the CPU. Where the operating system does not tell of threads (it does on Linux),
   * and for an actor that may not read files, the time in which their event loops were neither idle nor asleep. Of an
   * actor that sleeps, as of its last turn.
   */
  readonly cpuMs: number;
  readonly handling: { readonly method: string; readonly sinceMs: number } | null;
  /**
   * From when a message was accepted until it was handled, since the actor was first started; known to a fifth, 0
   * before there was any. Of an actor whose handlers take less than 10 µs every sixteenth message is timed.
   */
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
}
