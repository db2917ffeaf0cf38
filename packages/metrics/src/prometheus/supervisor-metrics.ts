import type { SupervisorMetric, Without } from "./metric.js";

const supervisor = (metric: Without<SupervisorMetric, never>): SupervisorMetric => ({
  of: "supervisor",
  type: "gauge",
  ...metric,
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
  supervisor({
    name: "light_actors",
    help: "Light actors that live under a supervisor with threads.",
    unit: "actors",
    read: ({ light }) => light?.members,
  }),
  {
    of: "supervisor",
    name: "light_actors_ended_total",
    help: "Light actors that have ended, whatever the reason.",
    unit: "actors",
    type: "counter",
    read: ({ light }) => light?.ended,
  },
];
