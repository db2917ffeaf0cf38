import type { ActorMeters } from "@mini-otp/runtime";
import type { ActorMetric, EventMetric, Without } from "./metric.js";

const MS = 1000;
const MIB = 1024 * 1024;

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

export const ACTOR_METRICS: readonly (ActorMetric | EventMetric)[] = [
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
    name: "actor_streams_open",
    help: "Streams that handlers have open.",
    unit: "streams",
    read: ({ meters }) => meters.stats.streams.open,
  }),
  counter({
    name: "actor_stream_items_total",
    help: "Items that streams have sent.",
    unit: "items",
    read: ({ meters }) => meters.stats.streams.items,
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
  gauge({
    name: "actor_process_resident_bytes",
    help: 'Resident memory of the processes of actors with isolation "process".',
    unit: "bytes",
    read: ({ meters }) => (meters.stats.process?.rssMb ?? 0) * MIB,
  }),
  counter({
    name: "actor_cpu_seconds_total",
    help: "Time that the actors' own threads, or processes, have used of the CPU.",
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
];

function fillOf({ length, capacity, bytes, capacityBytes }: ActorMeters["stats"]["mailbox"]): number {
  return Math.max(length / capacity, bytes / capacityBytes);
}
