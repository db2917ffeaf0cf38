/**
 * A snapshot, read from shared memory: it works for a hung actor too. Counts are over all incarnations. Of a light actor,
 * `heapCapMb` and `silentMs` are its partition's, and what is measured by thread is 0 or null.
 */
export interface ActorStats {
  /** `suspended`: the actor runs, but takes no message before `resume`. */
  readonly state: "running" | "suspended" | "stopped";
  readonly incarnation: number;
  readonly restarts: number;
  readonly mailbox: {
    /** Messages that were accepted and not yet taken by a handler. */
    readonly length: number;
    readonly bytes: number;
    readonly capacity: number;
    readonly capacityBytes: number;
    readonly enqueued: number;
    readonly handled: number;
    readonly dropped: number;
    /** How long senders have waited for room, in total. */
    readonly blockedMs: number;
    /**
     * How long the first waiting message has waited. Exact while handlers take more than 10 µs or the actor sleeps.
     * Otherwise off by up to 0.25 s, or by the time in which the fifteen messages after it were sent.
     */
    readonly oldestAgeMs: number;
  };
  /** Measured when the actor was last busy; 0 before the first measurement. */
  readonly heapUsedMb: number;
  readonly heapCapMb: number;
  /**
   * With `isolation: "process"` the resident memory of the process that is beyond its heap, and beyond what the process had
   * before it loaded the module.
   */
  readonly offHeapMb: number;
  /**
   * How long the thread has not answered the guard, because it is inside one native operation; 0 when it answers. With
   * `isolation: "process"` how long the process's main thread has been inside one operation, native or not, when that is
   * half a second or more: for so long `heapUsedMb` is old.
   */
  readonly silentMs: number;
  /**
   * CPU time of the actor's threads. Where the operating system does not report threads (Linux does), and for an actor
   * that may not read files, it is the time in which their event loops were neither idle nor asleep. For an actor that
   * sleeps, it is as of its last turn. With `isolation: "process"` it is the CPU time of its processes.
   */
  readonly cpuMs: number;
  /**
   * With `isolation: "process"`, while there is one: its process, and the resident memory of that. On Linux `rssMb` and
   * `cpuMs` are the kernel's numbers of this moment; elsewhere those that the process has told last, which it does every
   * 250 ms unless it is blocked.
   */
  readonly process?: { readonly pid: number; readonly rssMb: number };
  /** Streams that handlers have open now, and the items that streams have sent. */
  readonly streams: { readonly open: number; readonly items: number };
  readonly handling: { readonly method: string; readonly sinceMs: number } | null;
  /**
   * Time from when a message was accepted until it was handled, since the actor's first start. Known to within a fifth;
   * 0 before the first message. When handlers take less than 10 µs, every sixteenth message is timed.
   */
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
}
