import type {
  ActorMeters,
  HistogramReading,
  Meters,
  PoolMeters,
  SupervisorMeters,
  SystemStats,
} from "@mini-otp/runtime";

/** One value, or one for each value of the metric's own label, or a histogram of durations in ms. */
export type Reading = number | Readonly<Record<string, number>> | HistogramReading;

/** An actor as a scrape sees it. */
export interface ActorView {
  readonly meters: ActorMeters;
  /** Share of the time since the scrape before in which its event loop was busy. */
  readonly utilization: number;
}

/** What is counted from the system's events, since the metrics were registered, by reason. */
export type CountedEvent = "restarts" | "exits" | "guardKills";

interface Described {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  readonly unit:
    | "messages"
    | "bytes"
    | "seconds"
    | "ratio"
    | "calls"
    | "lines"
    | "actors"
    | "tasks"
    | "threads"
    | "events"
    | "info";
  readonly type: "gauge" | "counter" | "histogram";
  /** The label that tells its readings apart, beside those of whom they are. */
  readonly by?: string;
}

/** Of each actor, with the labels `type` and, of a named one, `actor`. */
export interface ActorMetric extends Described {
  readonly of: "actor";
  /** What the actors in one series come to together. */
  readonly together: "sum" | "max";
  read(actor: ActorView): Reading;
}

/** The same labels, counted from events. */
export interface EventMetric extends Described {
  readonly of: "event";
  readonly type: "counter";
  readonly by: "reason";
  readonly counts: CountedEvent;
}

/** Of each supervisor, with the label `supervisor`. */
export interface SupervisorMetric extends Described {
  readonly of: "supervisor";
  /** Undefined: nothing to show of it. */
  read(supervisor: SupervisorView): number | undefined;
}

export interface SupervisorView {
  readonly id: string;
  /** Undefined once it is gone. */
  readonly restarts: SupervisorMeters["restarts"] | undefined;
  readonly escalations: number;
}

/** Of each pool, with the label `pool`. */
export interface PoolMetric extends Described {
  readonly of: "pool";
  read(pool: PoolMeters["stats"]): Reading;
}

/** Of the whole system. */
export interface SystemMetric extends Described {
  readonly of: "system";
  read(system: SystemView): number | Readonly<Record<string, number>>;
}

export interface SystemView {
  readonly stats: SystemStats;
  readonly deadLetters: ReturnType<Meters["deadLetters"]>;
}

/** Always 1; what it says is in its labels. */
export interface InfoMetric extends Described {
  readonly of: "info";
}

export type Metric = ActorMetric | EventMetric | SupervisorMetric | PoolMetric | SystemMetric | InfoMetric;

const MS = 1000;
const MIB = 1024 * 1024;

type Without<M, K extends keyof M> = Omit<M, K | "of" | "type">;

const gauge = (metric: Without<ActorMetric, "together">): ActorMetric => ({
  of: "actor",
  type: "gauge",
  together: "sum",
  ...metric,
});
const worst = (metric: Without<ActorMetric, "together">): ActorMetric => ({ ...gauge(metric), together: "max" });
const counter = (metric: Without<ActorMetric, "together">): ActorMetric => ({ ...gauge(metric), type: "counter" });
const histogram = (metric: Without<ActorMetric, "together" | "unit">): ActorMetric => ({
  ...gauge({ ...metric, unit: "seconds" }),
  type: "histogram",
});
const event = (metric: Without<EventMetric, "unit" | "by">): EventMetric => ({
  of: "event",
  type: "counter",
  unit: "events",
  by: "reason",
  ...metric,
});
const supervisor = (metric: Without<SupervisorMetric, never>): SupervisorMetric => ({
  of: "supervisor",
  type: "gauge",
  ...metric,
});
const pool = (metric: Without<PoolMetric, never>): PoolMetric => ({ of: "pool", type: "gauge", ...metric });
const system = (metric: Without<SystemMetric, never>): SystemMetric => ({ of: "system", type: "gauge", ...metric });

/** Every metric there is: `docs/observability.md` shows this table, and a test compares the two. */
export const METRICS: readonly Metric[] = [
  gauge({
    name: "actor_mailbox_length",
    help: "Messages that wait in mailboxes.",
    unit: "messages",
    read: ({ meters }) => meters.stats.mailbox.length,
  }),
  gauge({
    name: "actor_mailbox_capacity",
    help: "Messages that mailboxes have room for.",
    unit: "messages",
    read: ({ meters }) => meters.stats.mailbox.capacity,
  }),
  gauge({
    name: "actor_mailbox_bytes",
    help: "Bytes in use in mailboxes, the message being handled included.",
    unit: "bytes",
    read: ({ meters }) => meters.stats.mailbox.bytes,
  }),
  gauge({
    name: "actor_mailbox_capacity_bytes",
    help: "Bytes that mailboxes have room for.",
    unit: "bytes",
    read: ({ meters }) => meters.stats.mailbox.capacityBytes,
  }),
  worst({
    name: "actor_mailbox_fill_ratio",
    help: "How full the fullest mailbox is, by messages or by bytes, whichever is more.",
    unit: "ratio",
    read: ({ meters }) => fillOf(meters.stats.mailbox),
  }),
  worst({
    name: "actor_mailbox_oldest_age_seconds",
    help: "How long the message that waits longest has waited.",
    unit: "seconds",
    read: ({ meters }) => meters.stats.mailbox.oldestAgeMs / MS,
  }),
  counter({
    name: "actor_mailbox_blocked_seconds_total",
    help: "Time that senders have waited for room: the back-pressure.",
    unit: "seconds",
    read: ({ meters }) => meters.stats.mailbox.blockedMs / MS,
  }),
  counter({
    name: "actor_messages_received_total",
    help: "Messages that mailboxes have accepted.",
    unit: "messages",
    read: ({ meters }) => meters.stats.mailbox.enqueued,
  }),
  counter({
    name: "actor_messages_handled_total",
    help: "Messages that were handled to the end.",
    unit: "messages",
    read: ({ meters }) => meters.stats.mailbox.handled,
  }),
  counter({
    name: "actor_messages_dropped_total",
    help: "Messages that will not be handled: dropped by the overflow policy, in flight at a crash, waiting at a restart or when the mailbox closed, or without a handler.",
    unit: "messages",
    by: "reason",
    read: ({ meters }) => meters.lost,
  }),
  histogram({
    name: "actor_mailbox_wait_seconds",
    help: "Time that messages waited in the mailbox; of fast actors a sample that stands for all.",
    read: ({ meters }) => meters.wait,
  }),
  histogram({
    name: "actor_handling_seconds",
    help: "Time that handlers took; of fast actors a sample that stands for all.",
    read: ({ meters }) => meters.handling,
  }),
  worst({
    name: "actor_handling_age_seconds",
    help: "For how long the handler that runs now has run.",
    unit: "seconds",
    read: ({ meters }) => (meters.stats.handling?.sinceMs ?? 0) / MS,
  }),
  counter({
    name: "actor_calls_total",
    help: "Calls, by how they ended for their callers.",
    unit: "calls",
    by: "outcome",
    read: ({ meters }) => meters.calls,
  }),
  gauge({
    name: "actor_running",
    help: "Actors that run.",
    unit: "actors",
    read: ({ meters }) => (meters.stats.state === "stopped" ? 0 : 1),
  }),
  counter({
    name: "actor_starts_total",
    help: "Attempts to start actors, restarts among them.",
    unit: "events",
    read: ({ meters }) => meters.stats.incarnation,
  }),
  event({ name: "actor_restarts_total", help: "Restarts, by the exit that was answered.", counts: "restarts" }),
  event({ name: "actor_exits_total", help: "Exits, by reason.", counts: "exits" }),
  event({
    name: "actor_guard_kills_total",
    help: "Actors that the guard has ended, by reason.",
    counts: "guardKills",
  }),
  gauge({
    name: "actor_heap_used_bytes",
    help: "Heap in use when the guard looked last, garbage included.",
    unit: "bytes",
    read: ({ meters }) => meters.stats.heapUsedMb * MIB,
  }),
  gauge({
    name: "actor_heap_cap_bytes",
    help: "The heap caps of the specs.",
    unit: "bytes",
    read: ({ meters }) => meters.stats.heapCapMb * MIB,
  }),
  worst({
    name: "actor_heap_fill_ratio",
    help: "How much of its heap cap the actor uses that is nearest to it.",
    unit: "ratio",
    read: ({ meters }) => meters.stats.heapUsedMb / meters.stats.heapCapMb,
  }),
  gauge({
    name: "actor_off_heap_bytes",
    help: "Buffers, wasm memory and the like when the guard looked last.",
    unit: "bytes",
    read: ({ meters }) => meters.stats.offHeapMb * MIB,
  }),
  counter({
    name: "actor_cpu_seconds_total",
    help: "Time that the actors' own threads have used of the CPU.",
    unit: "seconds",
    read: ({ meters }) => meters.stats.cpuMs / MS,
  }),
  worst({
    name: "actor_event_loop_utilization",
    help: "Share of the time since the last scrape in which the busiest event loop ran something.",
    unit: "ratio",
    read: ({ utilization }) => utilization,
  }),
  counter({
    name: "actor_log_lines_dropped_total",
    help: "Lines of log that were dropped because there were too many.",
    unit: "lines",
    read: ({ meters }) => meters.logDropped,
  }),
  supervisor({
    name: "supervisor_recent_restarts",
    help: "Restarts that count against the intensity now.",
    unit: "events",
    read: ({ restarts }) => restarts?.count,
  }),
  supervisor({
    name: "supervisor_restart_intensity",
    help: "Restarts allowed within the period; one more is too many.",
    unit: "events",
    read: ({ restarts }) => restarts?.intensity,
  }),
  {
    of: "supervisor",
    name: "supervisor_escalations_total",
    help: "How often the supervisor gave up.",
    unit: "events",
    type: "counter",
    read: ({ escalations }) => escalations,
  },
  pool({
    name: "pool_queue_length",
    help: "Tasks that wait for a thread.",
    unit: "tasks",
    read: ({ queueLength }) => queueLength,
  }),
  pool({
    name: "pool_queue_capacity",
    help: "Tasks that the queue has room for.",
    unit: "tasks",
    read: ({ maxQueue }) => maxQueue,
  }),
  pool({
    name: "pool_running_tasks",
    help: "Tasks being run.",
    unit: "tasks",
    read: ({ running }) => running,
  }),
  pool({
    name: "pool_threads",
    help: "Threads of the pool.",
    unit: "threads",
    read: ({ threads }) => threads,
  }),
  {
    of: "pool",
    name: "pool_tasks_total",
    help: "Tasks by how they ended: completed, failed, aborted, or rejected by a full queue.",
    unit: "tasks",
    type: "counter",
    by: "outcome",
    read: ({ completed, failed, aborted, rejected }) => ({ completed, failed, aborted, rejected }),
  },
  {
    of: "pool",
    name: "pool_threads_lost_total",
    help: "Threads that ended before their task.",
    unit: "threads",
    type: "counter",
    read: ({ threadsLost }) => threadsLost,
  },
  pool({
    name: "pool_wait_seconds",
    help: "How long tasks have lately waited for a thread.",
    unit: "seconds",
    by: "percentile",
    read: ({ wait }) => percentilesOf(wait),
  }),
  pool({
    name: "pool_run_seconds",
    help: "How long tasks have lately run.",
    unit: "seconds",
    by: "percentile",
    read: ({ run }) => percentilesOf(run),
  }),
  {
    of: "system",
    name: "dead_letters_total",
    help: "Messages that will not be handled, of actors that are gone too.",
    unit: "messages",
    type: "counter",
    by: "reason",
    read: ({ deadLetters }) => deadLetters,
  },
  system({
    name: "actors",
    help: "Actors there are, running or not.",
    unit: "actors",
    read: ({ stats }) => stats.actors,
  }),
  system({
    name: "actor_threads",
    help: "Threads that are actors.",
    unit: "threads",
    read: ({ stats }) => stats.threads,
  }),
  system({
    name: "spare_threads",
    help: "Threads in waiting for the next restart, by whether they have loaded their module.",
    unit: "threads",
    by: "state",
    read: ({ stats: { spares } }) => ({ ready: spares.ready, loading: spares.count - spares.ready }),
  }),
  system({
    name: "spare_threads_limit",
    help: "The most threads that may wait.",
    unit: "threads",
    read: ({ stats }) => stats.spares.limit,
  }),
  system({
    name: "zombie_threads",
    help: "Threads that have survived their kill and still run.",
    unit: "threads",
    read: ({ stats }) => stats.zombies.now,
  }),
  {
    of: "info",
    name: "build_info",
    help: "1, with the versions as labels.",
    unit: "info",
    type: "gauge",
  },
];

function fillOf({ length, capacity, bytes, capacityBytes }: ActorMeters["stats"]["mailbox"]): number {
  return Math.max(length / capacity, bytes / capacityBytes);
}

function percentilesOf({ p50Ms, p99Ms }: PoolMeters["stats"]["wait"]): Readonly<Record<string, number>> {
  return { 50: p50Ms / 1000, 99: p99Ms / 1000 };
}

/** The labels of a metric, in the order of the documentation. */
export function labelsOf(metric: Metric): string[] {
  const own = metric.by === undefined ? [] : [metric.by];
  switch (metric.of) {
    case "actor":
    case "event":
      return ["type", "actor", ...own];
    case "supervisor":
      return ["supervisor"];
    case "pool":
      return ["pool", ...own];
    case "info":
      return ["version", "node_version"];
    default:
      return own;
  }
}
