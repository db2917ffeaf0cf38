import type { SupervisorMetric, Without } from "./metric.js";

const supervisor = (metric: Without<SupervisorMetric, never>): SupervisorMetric => ({
  of: "supervisor",
  type: "gauge",
  ...metric,
});

/** Of all light actors of a supervisor together: by the module of its template, and never of one of them. */
const light = (
  name: string,
  type: "gauge" | "counter",
  unit: "actors" | "messages",
  help: string,
  of: "members" | "ended" | "crashed" | "handled" | "queued",
): SupervisorMetric => ({
  of: "supervisor",
  by: "type",
  name,
  type,
  unit,
  help,
  read: ({ light: meters }) => (meters === undefined ? undefined : { [meters.type]: meters[of] }),
});

export const SUPERVISOR_METRICS: readonly SupervisorMetric[] = [
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
  light("light_actors", "gauge", "actors", "Light actors that live under a supervisor with threads.", "members"),
  light("light_actors_ended_total", "counter", "actors", "Light actors that have ended, whatever the reason.", "ended"),
  light(
    "light_actors_crashed_total",
    "counter",
    "actors",
    "Light actors that have ended otherwise than with normal or shutdown, with their partitions too.",
    "crashed",
  ),
  light(
    "light_actors_messages_handled_total",
    "counter",
    "messages",
    "Messages that light actors have handled.",
    "handled",
  ),
  light("light_actors_mailbox_length", "gauge", "messages", "Messages that wait in light actors.", "queued"),
];
