/*
 * The messages between the observer's server and its page. Times are ms since 1970 by the server's clock, memory is
 * MiB. All text is plain: the page escapes it where it shows it.
 */

/** A node of a cluster, in `api/nodes`. */
export interface NodeRow {
  readonly node: string;
  readonly state: "up" | "suspect" | "leaving" | "gone";
  /** The one that serves the page. */
  readonly isSelf: boolean;
  readonly version: string;
  readonly rttMs?: number | undefined;
  readonly mainLagMs: number;
}

/** A part of a node's tree, in `api/nodes/tree`. */
export interface TreePart {
  readonly node: string;
  readonly now: number;
  /** Lines of the whole tree. */
  readonly total: number;
  readonly from: number;
  readonly rows: readonly Row[];
}

export type NodeState = "running" | "suspended" | "restarting" | "stopped";

/** An exit reason as text, without the values that it carries. */
export interface ExitText {
  readonly kind: string;
  /** One line. */
  readonly text: string;
}

export interface MailboxRow {
  readonly length: number;
  readonly capacity: number;
  readonly bytes: number;
  readonly capacityBytes: number;
  readonly dropped: number;
  /** How long senders have waited for room, added up. */
  readonly blockedMs: number;
  readonly oldestAgeMs: number;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** An actor's numbers as of the last look. */
export interface ActorRow {
  readonly incarnation: number;
  readonly mailbox: MailboxRow;
  readonly handled: number;
  readonly handledPerSecond: number;
  readonly heapMb: number;
  readonly heapCapMb: number;
  readonly offHeapMb: number;
  /** That runs its module, if its thread does not. */
  readonly process?: { readonly pid: number; readonly rssMb: number };
  /** In percent of one core; absent at the first look. */
  readonly cpuPercent?: number;
  /** From the acceptance of a message until it is handled. */
  readonly latency: Latency;
  readonly handling: { readonly method: string; readonly since: number } | null;
  readonly streams: { readonly open: number; readonly items: number };
  /** How long its thread has been inside one native operation. */
  readonly silentMs: number;
}

/** One line of the tree. */
export interface Row {
  /** Path from the root. */
  readonly id: string;
  /** Its id in the spec of its parent. */
  readonly name: string;
  readonly depth: number;
  readonly type: "supervisor" | "worker";
  readonly state: NodeState;
  readonly restart: string;
  readonly restarts: number;
  /** Its last end, clean or not, and when. */
  readonly lastExit?: ExitText & { readonly at: number; readonly failed: boolean };
  readonly actor?: ActorRow;
  /** Of a partition: how many light actors live in it. */
  readonly members?: number;
  readonly supervisor?: {
    readonly strategy: string;
    readonly intensity: number;
    readonly periodMs: number;
    readonly dynamic: boolean;
  };
}

/** `/api/children`: light actors of one partition. */
export interface MembersPart {
  readonly members: readonly { readonly id: string; readonly queued: number }[];
  /** There may be others: ask for those `after` the last. */
  readonly more: boolean;
}

/** SSE `tree`: the changes since the last update; the whole tree when `whole`. */
export interface TreeUpdate {
  readonly now: number;
  readonly whole: boolean;
  readonly system: "running" | "stopped";
  /** All ids from top to bottom, when they have changed. */
  readonly order?: readonly string[];
  readonly rows: readonly Row[];
}

/** SSE `message`, which has its `seq` as id. */
export interface EventRecord {
  readonly seq: number;
  readonly event: string;
  readonly id: string;
  readonly at: number;
  readonly incarnation?: number;
  readonly attempt?: number;
  readonly delayMs?: number;
  readonly supervisor?: string;
  readonly method?: string;
  /** The cause of a dead letter, of a node's end, or of a lost lease. */
  readonly why?: string;
  /** The node of a cluster that it is about. */
  readonly node?: string;
  readonly reason?: ExitText;
  /** Set for a failure: an event that was neither requested nor expected. */
  readonly failed?: true;
}

/** SSE `skipped`: the number of events that were not sent, because there was no time or no room. */
export interface SkippedEvents {
  readonly count: number;
}

/** SSE `process`. */
export interface ProcessRow {
  readonly now: number;
  readonly uptimeMs: number;
  readonly rssMb: number;
  readonly heapUsedMb: number;
  readonly heapTotalMb: number;
  readonly externalMb: number;
  readonly arrayBuffersMb: number;
  /** All threads together, in percent of one core. */
  readonly cpuPercent: number;
  /** Main's event loop in the last interval. */
  readonly loopDelay: Latency;
  readonly loopUtilization: number;
  readonly actors: number;
  readonly threads: number;
  readonly spares: { readonly count: number; readonly ready: number; readonly limit: number };
  readonly deadLetters: number;
  readonly handledPerSecond: number;
  readonly restartsPerSecond: number;
  readonly waiting: number;
  /** Since the observer was started, by event and, for exits and restarts, by reason. */
  readonly totals: {
    readonly events: Readonly<Record<string, number>>;
    readonly exits: Readonly<Record<string, number>>;
    readonly restarts: Readonly<Record<string, number>>;
  };
}

export interface LogRecord {
  readonly seq: number;
  readonly at: number;
  readonly level: string;
  readonly incarnation: number;
  readonly thread?: number;
  readonly message: string;
  /** An error's name, message and stack. */
  readonly error?: string;
  /** JSON; present only with the option `logFields`. */
  readonly fields?: string;
}

/** The last end that was a failure. */
export interface CrashRecord {
  readonly at: number;
  readonly incarnation: number;
  readonly reason: ExitText;
  readonly stack?: string;
  readonly context?: string;
  readonly supervisor?: string;
  readonly lastMethod?: string;
  readonly queueLength?: number;
  readonly heapUsedMb?: number;
  readonly heapCapMb?: number;
  readonly offHeapMb?: number;
}

export const ACTOR_SERIES = ["waiting", "handledPerSecond", "heapMb", "offHeapMb", "cpuPercent"] as const;
export const PROCESS_SERIES = [
  "rssMb",
  "heapUsedMb",
  "cpuPercent",
  "loopP99Ms",
  "handledPerSecond",
  "waiting",
  "restartsPerSecond",
] as const;

/** Columns of equal length; null where nothing was measured. */
export interface Points {
  /** The points before are to be dropped. */
  readonly whole: boolean;
  readonly times: readonly number[];
  readonly columns: readonly (readonly (number | null)[])[];
}

/** SSE `history`: points of the process, and of the selected actor. */
export interface HistoryUpdate {
  readonly process: Points;
  readonly actor?: Points;
}

/** SSE `actor`: changes of the selected actor. */
export interface ActorUpdate {
  readonly id: string;
  readonly whole: boolean;
  readonly lines: readonly LogRecord[];
  /** How many lines were not kept or not sent. */
  readonly skippedLines: number;
  readonly crash?: CrashRecord;
}

/** SSE `hello`, first on each connection. */
export interface Hello {
  readonly now: number;
  readonly name: string;
  readonly pid: number;
  readonly node: string;
  readonly platform: string;
  readonly host: string;
  readonly observedSince: number;
  /** Whether the nodes of a cluster are shown. */
  readonly nodes?: true;
}

export type ActionName = "suspend" | "resume" | "restart" | "kill";

/** The answer of `POST /api/actions` when the action is refused. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}
