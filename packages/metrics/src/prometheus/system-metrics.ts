import type { InfoMetric, SystemMetric, Without } from "./metric.js";

const system = (metric: Without<SystemMetric, never>): SystemMetric => ({ of: "system", type: "gauge", ...metric });

export const SYSTEM_METRICS: readonly (SystemMetric | InfoMetric)[] = [
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
    name: "system_live",
    help: "1 unless only a new process can help: the root has given up, or main's guard does not run.",
    unit: "flag",
    read: ({ health }) => Number(health.live),
  }),
  system({
    name: "system_ready",
    help: "1 while it is live, not stopping, and every permanent child can work.",
    unit: "flag",
    read: ({ health }) => Number(health.ready),
  }),
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
  system({
    name: "unattributed_memory_bytes",
    help: "Growth of what is resident and in no numbers of the actors' or main's.",
    unit: "bytes",
    read: ({ stats }) => stats.unattributed.mb * 1024 * 1024,
  }),
  {
    of: "system",
    name: "unattributed_memory_reports_total",
    help: "How often such memory has put the process over its budget.",
    unit: "events",
    type: "counter",
    read: ({ stats }) => stats.unattributed.reports,
  },
  {
    of: "system",
    name: "log_lines_lost_total",
    help: "Lines of log that the logger threw at, or that what it writes to did not take: a full disk, a closed pipe.",
    unit: "lines",
    type: "counter",
    read: ({ stats }) => stats.logLinesLost,
  },
  {
    of: "info",
    name: "build_info",
    help: "1, with the versions as labels.",
    unit: "info",
    type: "gauge",
  },
];
