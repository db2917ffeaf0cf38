import { type ExitReason, isCleanExit, type SystemEvent } from "@mini-otp/runtime";
import type { CrashRecord, EventRecord } from "../ui/wire.js";
import { cut, errorText, exitText } from "./text.js";

const FAILURES: ReadonlySet<string> = new Set([
  "child_start_failed",
  "supervisor_escalated",
  "guard_killed",
  "actor_zombie",
  "actor_quarantined",
  "memory_unattributed",
  "node_down",
  "lease_lost",
  "engine_down",
]);

/** The fields of an event that the page shows. Never a message; an error as its text. */
export function eventRecord(event: SystemEvent, at: number, seq: number): EventRecord {
  const { incarnation, attempt, delayMs, supervisor, method, why, node, reason } = event as Partial<Everything>;
  return {
    seq,
    event: event.event,
    id: cut(event.id),
    at,
    ...(incarnation === undefined ? {} : { incarnation }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(supervisor === undefined ? {} : { supervisor: cut(supervisor) }),
    ...(method === undefined ? {} : { method: cut(method, 200) }),
    ...(why === undefined ? {} : { why }),
    ...(node === undefined ? {} : { node: cut(node, 200) }),
    ...(reason === undefined ? {} : { reason: exitText(reason) }),
    ...(FAILURES.has(event.event) || isFailedExit(event) ? { failed: true as const } : {}),
  };
}

/** The crash report for an event; undefined for an event that is no crash. */
export function crashRecord(event: SystemEvent, at: number): CrashRecord | undefined {
  if (event.event !== "child_start_failed" && !isFailedExit(event)) return undefined;
  const { incarnation, reason, context, supervisor, lastMethod, queueLength, heapUsedMb, heapCapMb, offHeapMb } = event;
  const { error } = reason as { error?: unknown };
  return {
    at,
    incarnation,
    reason: exitText(reason),
    supervisor: cut(supervisor),
    ...(error === undefined ? {} : { stack: errorText(error) }),
    ...(context === undefined ? {} : { context }),
    ...(lastMethod === undefined ? {} : { lastMethod: cut(lastMethod, 200) }),
    ...(queueLength === undefined ? {} : { queueLength }),
    ...(heapUsedMb === undefined ? {} : { heapUsedMb }),
    ...(heapCapMb === undefined ? {} : { heapCapMb }),
    ...(offHeapMb === undefined ? {} : { offHeapMb }),
  };
}

interface Everything {
  readonly incarnation: number;
  readonly attempt: number;
  readonly delayMs: number;
  readonly supervisor: string;
  readonly method: string;
  readonly why: string;
  readonly node: string;
  readonly reason: ExitReason;
}

function isFailedExit(event: SystemEvent): event is Extract<SystemEvent, { event: "actor_exited" }> {
  return event.event === "actor_exited" && event.context !== undefined && !isCleanExit(event.reason);
}
