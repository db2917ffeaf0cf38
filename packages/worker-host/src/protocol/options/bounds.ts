/** Node fires a longer timer at once, so a longer wait sets another timer when this one has fired. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Minimum and maximum of each kind of number, for every option of the project. Above the maximum a limit of the
 * platform (V8's lists, Node's timers, the machine's memory) would turn a typing error into a fatal error.
 */
export const BOUNDS = {
  /** Node's timers count to 2^31 - 1 ms, which is 24 days, and fire at once beyond. */
  timerMs: [0, MAX_TIMER_MS],
  periodMs: [1, MAX_TIMER_MS],
  /** Caps of one thread: up to 1 TiB, more than V8 can reserve for a heap. */
  capMb: [Number.MIN_VALUE, 2 ** 20],
  /** Cap of a process: up to 16 TiB. */
  totalMb: [Number.MIN_VALUE, 2 ** 24],
  /** From the memory that V8 needs beyond a cap, as observed, to 64 GiB. */
  headroomMb: [16, 65_536],
  /** A mailbox is one piece of shared memory, with positions of 32 bits. */
  messages: [1, 2 ** 30],
  mailboxBytes: [1, 2 ** 30],
  deliveries: [1, 2 ** 20],
  /** Restarts within a period. The supervisor keeps the time of each. */
  restarts: [0, 1_000_000],
  children: [0, 2 ** 20],
  spareThreads: [0, 1_024],
  /** A pool allocates places for as many tasks as its threads run at a time: 2^20 of them take 8 MiB. */
  poolThreads: [1, 1_024],
  tasksPerThread: [1, 1_024],
  queuedTasks: [0, 2 ** 24],
  recycledTasks: [1, 2 ** 31 - 1],
  /** Tasks of one `map` that are under way or unread. */
  mappedTasks: [1, 65_536],
  port: [0, 65_535],
  series: [0, 100_000],
  /** Up to an hour: a reader that has not read for longer is gone. */
  readerTimeoutMs: [1, 3_600_000],
} as const satisfies Record<string, readonly [least: number, most: number]>;

/** UTF-16 units of a name. Paths consist of names, and every line of log has one. */
export const MAX_NAME_LENGTH = 255;
/** Items of a list in an option. */
export const MAX_LIST_LENGTH = 10_000;
