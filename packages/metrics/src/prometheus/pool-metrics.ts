import type { PoolMeters } from "@mini-otp/runtime";
import type { PoolMetric, Without } from "./metric.js";

const MS = 1000;
const MIB = 2 ** 20;

const pool = (metric: Without<PoolMetric, never>): PoolMetric => ({ of: "pool", type: "gauge", ...metric });

export const POOL_METRICS: readonly PoolMetric[] = [
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
  {
    of: "pool",
    name: "pool_threads_recycled_total",
    help: "Threads that were replaced between two tasks.",
    unit: "threads",
    type: "counter",
    read: ({ threadsRecycled }) => threadsRecycled,
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
  pool({
    name: "pool_function_seconds",
    help: "How long the functions of tasks have lately taken in their thread.",
    unit: "seconds",
    by: "percentile",
    read: (stats) => percentilesOf(stats.function),
  }),
  pool({
    name: "pool_task_memory_bytes",
    help: "By how much tasks have lately made their thread's memory grow.",
    unit: "bytes",
    by: "percentile",
    read: ({ memory: { p50Mb, p99Mb } }) => ({ 50: p50Mb * MIB, 99: p99Mb * MIB }),
  }),
];

function percentilesOf({ p50Ms, p99Ms }: PoolMeters["stats"]["wait"]): Readonly<Record<string, number>> {
  return { 50: p50Ms / MS, 99: p99Ms / MS };
}
