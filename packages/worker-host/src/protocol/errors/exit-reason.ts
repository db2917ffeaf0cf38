import { describe, shorten } from "./describe.js";
import { invalidOption } from "./invalid-option.js";
import type { ExitKind, ExitReason } from "./reason-kinds.js";
import { showValue } from "./show-value.js";

export type { ExitKind, ExitReason };

export const NORMAL: ExitReason = Object.freeze({ kind: "normal" });
export const SHUTDOWN: ExitReason = Object.freeze({ kind: "shutdown" });
export const KILLED: ExitReason = Object.freeze({ kind: "killed" });
export const NOPROC: ExitReason = Object.freeze({ kind: "noproc" });

/**
 * A shutdown passes through a chain of links unchanged, so that transient partners stay down. Any other reason names
 * the actor in which the failure began.
 */
export function linkedReason(id: string, reason: ExitReason): ExitReason {
  return reason.kind === "shutdown" || reason.kind === "linked" ? reason : { kind: "linked", id, reason };
}

const isNumber = (value: unknown): boolean => typeof value === "number";

/** The facts that each kind of reason must have, beside the nested `reason` of some. */
const SHAPES: Readonly<Record<ExitKind, (reason: any) => boolean>> = {
  normal: () => true,
  shutdown: () => true,
  killed: () => true,
  noproc: () => true,
  noconnection: ({ node }) => typeof node === "string",
  error: () => true,
  init_failed: () => true,
  heap_cap_exceeded: ({ heapCapMb, usedMb }) => isNumber(heapCapMb) && isNumber(usedMb),
  off_heap_cap_exceeded: ({ offHeapCapMb, usedMb }) => isNumber(offHeapCapMb) && isNumber(usedMb),
  unresponsive: ({ method, afterMs }) => typeof method === "string" && isNumber(afterMs),
  exit_called: ({ code }) => isNumber(code),
  crashed: ({ signal, code }) => (signal === null || typeof signal === "string") && (code === null || isNumber(code)),
  init_timeout: ({ afterMs }) => isNumber(afterMs),
  partition_ended: () => true,
  linked: ({ id }) => typeof id === "string",
  reached_max_restart_intensity: ({ id }) => typeof id === "string",
};

const WITH_REASON: ReadonlySet<string> = new Set<ExitKind>([
  "linked",
  "partition_ended",
  "reached_max_restart_intensity",
]);
/** Reasons within reasons. Those of the runtime have a few: more are a mistake, or go round in a circle. */
const MAX_NESTED = 100;

/** Whether it is one in full, the reasons within it too. Never throws. */
export function isExitReason(value: unknown): value is ExitReason {
  return exitReasonOf(value) !== undefined;
}

/**
 * The reason that a value is, or undefined. It is a copy whose properties have been read once: what is checked is what
 * is used later, whatever getters the value has. Never throws.
 */
export function exitReasonOf(value: unknown): ExitReason | undefined {
  try {
    return copied(value, 0);
  } catch {
    return undefined;
  }
}

function copied(value: unknown, depth: number): ExitReason | undefined {
  if (typeof value !== "object" || value === null || depth > MAX_NESTED) return undefined;
  // A class's getters are not its own.
  const { kind } = value as { kind?: unknown };
  if (typeof kind !== "string" || !Object.hasOwn(SHAPES, kind)) return undefined;
  const reason: Record<string, unknown> = { ...value, kind };
  // Promises resolve with reasons, as `terminated` does: one with a method `then` would be asked for another.
  delete reason.then;
  if (!SHAPES[kind as ExitKind](reason)) return undefined;
  if (WITH_REASON.has(kind)) {
    reason.reason = copied(reason.reason, depth + 1);
    if (reason.reason === undefined) return undefined;
  }
  return reason as unknown as ExitReason;
}

/** The reason that a user has given, as `exitReasonOf`. Throws ERR_INVALID_OPTION, a TypeError, for what is none. */
export function checkExitReason(what: string, reason: unknown): ExitReason;
export function checkExitReason(what: string, reason: unknown, orKill: "kill"): ExitReason | "kill";
export function checkExitReason(what: string, reason: unknown, orKill?: "kill"): ExitReason | "kill" {
  if (orKill !== undefined && reason === orKill) return orKill;
  const checked = exitReasonOf(reason);
  if (checked === undefined) throw notAReason(what, reason);
  return checked;
}

export function notAReason(what: string, value: unknown): Error {
  const allowed = 'reasons are { kind: "normal" }, { kind: "shutdown" }, { kind: "error", error } …';
  const message = `${what}: reason=${showValue(value)} is no exit reason; ${allowed}`;
  return invalidOption(message, { function: what, field: "reason", value, allowed });
}

/** True for `normal`, `shutdown` and `shutdown` with detail: no crash report, and a transient child stays down. */
export function isCleanExit(reason: ExitReason): boolean {
  if (!isExitReason(reason)) return false;
  return reason.kind === "normal" || reason.kind === "shutdown";
}

/**
 * One line for logs and error messages, as `error (TypeError: x is not a function)`. Never throws, also for what is no
 * exit reason; cut at some 2 000 characters.
 */
export function describeExit(reason: ExitReason): string {
  try {
    const checked = exitReasonOf(reason);
    return checked === undefined ? describe(reason) : shorten(exitInWords(checked, 0));
  } catch {
    // Of a text or a number whose methods the application has changed.
    return describe(reason);
  }
}

function exitInWords(reason: ExitReason, depth: number): string {
  switch (reason.kind) {
    case "shutdown":
      return reason.detail === undefined ? "shutdown" : `shutdown (${detailInWords(reason.detail, depth + 1)})`;
    case "error":
    case "init_failed":
      return `${reason.kind} (${describe(reason.error)})`;
    case "heap_cap_exceeded":
      return `heap_cap_exceeded (used ${reason.usedMb.toFixed(1)} MiB, heapCapMb ${reason.heapCapMb})`;
    case "off_heap_cap_exceeded":
      return `off_heap_cap_exceeded (used ${reason.usedMb.toFixed(1)} MiB, offHeapCapMb ${reason.offHeapCapMb})`;
    case "unresponsive":
      return `unresponsive (in ${reason.method} for ${Math.round(reason.afterMs)} ms)`;
    case "exit_called":
      return `exit_called (code ${reason.code})`;
    case "crashed":
      return reason.signal === null ? `crashed (code ${reason.code})` : `crashed (${reason.signal})`;
    case "init_timeout":
      return `init_timeout (after ${Math.round(reason.afterMs)} ms)`;
    case "linked":
      return `linked (to ${reason.id}: ${exitInWords(reason.reason, depth)})`;
    case "partition_ended":
      return `partition_ended (${exitInWords(reason.reason, depth)})`;
    case "reached_max_restart_intensity":
      return `reached_max_restart_intensity (${reason.id}: ${exitInWords(reason.reason, depth)})`;
    case "noconnection":
      return `noconnection (node ${reason.node})`;
    default:
      return reason.kind;
  }
}

/** A supervisor that gave up has a reason as its detail; a user may have given anything. */
function detailInWords(detail: unknown, depth: number): string {
  if (depth > MAX_NESTED) return "…";
  const reason = exitReasonOf(detail);
  return reason === undefined ? describe(detail) : exitInWords(reason, depth);
}
