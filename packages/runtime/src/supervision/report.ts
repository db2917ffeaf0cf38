import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { RestartType, Shutdown } from "./child.js";

/** The part of a child's spec that a report shows. `id` is the spec's, not the path. */
export interface ChildSummary {
  readonly id: string;
  readonly type: "worker" | "supervisor";
  readonly restart: RestartType;
  readonly significant: boolean;
  readonly shutdown: Shutdown;
}

/** The fields of every report of a supervisor. */
export interface ReportFacts {
  /** Path of the child; in `supervisor_escalated` the path of the supervisor itself. */
  readonly id: string;
  /** Clock time, ms. */
  readonly at: number;
  /** Path of the supervisor that reports. */
  readonly supervisor: string;
  readonly offender: ChildSummary;
}

/** What a supervisor still allows after a failure that it has just counted. */
export interface RestartBudget {
  /** Restarts after the one that this failure causes; -1 when the supervisor gives up. */
  readonly restartsLeft: number;
  readonly periodMs: number;
}

/**
 * What a supervisor reports about its children. `context` is that of OTP's supervisor report, and is present exactly
 * when OTP would log an error: a clean exit has none.
 *
 * @see https://www.erlang.org/doc/apps/sasl/error_logging.html
 */
export type SupervisionReport =
  | (ReportFacts & { readonly event: "actor_started"; readonly incarnation: number })
  | (ReportFacts & {
      readonly event: "actor_restarted";
      readonly incarnation: number;
      /** 1 for the first restart after a healthy incarnation. Failed starts count too. */
      readonly attempt: number;
      readonly delayMs: number;
      /** The exit or failed start that caused the restart, which may be a sibling's. */
      readonly reason: ExitReason;
    })
  | (ReportFacts & {
      readonly event: "actor_exited";
      readonly incarnation: number;
      readonly reason: ExitReason;
      readonly context?: "child_terminated" | "shutdown_error";
    })
  | (ReportFacts & {
      readonly event: "child_start_failed";
      readonly incarnation: number;
      readonly reason: ExitReason;
      readonly context: "start_error";
    })
  | (ReportFacts & {
      readonly event: "supervisor_escalated";
      readonly reason: ExitReason;
      readonly context: "shutdown";
    });
