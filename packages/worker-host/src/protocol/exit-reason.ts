import { invalidOption } from "./invalid-option.js";
import { showValue } from "./show-value.js";

/**
 * Why an actor or supervisor ended. Told apart by `kind`, spelled as in OTP.
 *
 * @see https://www.erlang.org/doc/system/ref_man_processes.html
 */
export type ExitReason =
  | { readonly kind: "normal" }
  | { readonly kind: "shutdown"; readonly detail?: unknown }
  | { readonly kind: "killed" }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "heap_cap_exceeded"; readonly heapCapMb: number; readonly usedMb: number }
  | { readonly kind: "off_heap_cap_exceeded"; readonly offHeapCapMb: number; readonly usedMb: number }
  | { readonly kind: "unresponsive"; readonly method: string; readonly afterMs: number }
  | { readonly kind: "exit_called"; readonly code: number }
  | { readonly kind: "init_failed"; readonly error: unknown }
  | { readonly kind: "init_timeout"; readonly afterMs: number }
  | { readonly kind: "linked"; readonly id: string; readonly reason: ExitReason }
  | { readonly kind: "noproc" }
  | {
      readonly kind: "reached_max_restart_intensity";
      /** The child whose failure passed the limit, and its reason. */
      readonly id: string;
      readonly reason: ExitReason;
    };

export type ExitKind = ExitReason["kind"];

export const NORMAL: ExitReason = Object.freeze({ kind: "normal" });
export const SHUTDOWN: ExitReason = Object.freeze({ kind: "shutdown" });
export const KILLED: ExitReason = Object.freeze({ kind: "killed" });
export const NOPROC: ExitReason = Object.freeze({ kind: "noproc" });

const isNumber = (value: unknown): boolean => typeof value === "number";

/** What each kind of reason must have for whoever reads it. */
const SHAPES: Readonly<Record<ExitKind, (reason: any) => boolean>> = {
  normal: () => true,
  shutdown: () => true,
  killed: () => true,
  noproc: () => true,
  error: () => true,
  init_failed: () => true,
  heap_cap_exceeded: ({ heapCapMb, usedMb }) => isNumber(heapCapMb) && isNumber(usedMb),
  off_heap_cap_exceeded: ({ offHeapCapMb, usedMb }) => isNumber(offHeapCapMb) && isNumber(usedMb),
  unresponsive: ({ method, afterMs }) => typeof method === "string" && isNumber(afterMs),
  exit_called: ({ code }) => isNumber(code),
  init_timeout: ({ afterMs }) => isNumber(afterMs),
  linked: ({ id, reason }) => typeof id === "string" && isExitReason(reason),
  reached_max_restart_intensity: ({ id, reason }) => typeof id === "string" && isExitReason(reason),
};

export function isExitReason(value: unknown): value is ExitReason {
  if (typeof value !== "object" || value === null) return false;
  try {
    const { kind } = value as { kind?: unknown };
    return typeof kind === "string" && Object.hasOwn(SHAPES, kind) && SHAPES[kind as ExitKind](value);
  } catch {
    // A getter of the user's, or a circle of reasons.
    return false;
  }
}

/** The reason that a user has given. Throws ERR_INVALID_OPTION, a TypeError, for what is none. */
export function checkExitReason<R extends ExitReason | "kill">(what: string, reason: R): R {
  if (reason === "kill" || isExitReason(reason)) return reason;
  throw notAReason(what, reason);
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

/** One line for logs and error messages, as `error (TypeError: x is not a function)`. */
export function describeExit(reason: ExitReason): string {
  if (!isExitReason(reason)) return `no exit reason (${showValue(reason)})`;
  switch (reason.kind) {
    case "shutdown":
      return reason.detail === undefined ? "shutdown" : `shutdown (${describeDetail(reason.detail)})`;
    case "error":
    case "init_failed":
      return `${reason.kind} (${describeError(reason.error)})`;
    case "heap_cap_exceeded":
      return `heap_cap_exceeded (used ${reason.usedMb.toFixed(1)} MiB, heapCapMb ${reason.heapCapMb})`;
    case "off_heap_cap_exceeded":
      return `off_heap_cap_exceeded (used ${reason.usedMb.toFixed(1)} MiB, offHeapCapMb ${reason.offHeapCapMb})`;
    case "unresponsive":
      return `unresponsive (in ${reason.method} for ${Math.round(reason.afterMs)} ms)`;
    case "exit_called":
      return `exit_called (code ${reason.code})`;
    case "init_timeout":
      return `init_timeout (after ${Math.round(reason.afterMs)} ms)`;
    case "linked":
      return `linked (to ${reason.id}: ${describeExit(reason.reason)})`;
    case "reached_max_restart_intensity":
      return `reached_max_restart_intensity (${reason.id}: ${describeExit(reason.reason)})`;
    default:
      return reason.kind;
  }
}

function describeDetail(detail: unknown): string {
  if (typeof detail === "object" && detail !== null && typeof (detail as { kind?: unknown }).kind === "string") {
    return describeExit(detail as ExitReason);
  }
  return describeError(detail);
}

function describeError(error: unknown): string {
  // A thrown value's getters and toString may throw themselves.
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return "a value that cannot be printed";
  }
}
