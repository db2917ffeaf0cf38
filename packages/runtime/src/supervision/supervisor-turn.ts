import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { recordFailure } from "@mini-otp/worker-host/protocol/options";
import type { ChildSummary, RestartBudget, SupervisionReport } from "./report.js";
import { type ChildState, childPath, findChild, type SupervisorState } from "./supervisor-state.js";

/** An action for the supervision loop. Actions are performed in the order in which they were added. */
export type Action =
  | { readonly kind: "start_child"; readonly id: string; readonly incarnation: number }
  | { readonly kind: "stop_child"; readonly id: string; readonly restarting: boolean }
  | { readonly kind: "park_child"; readonly id: string; readonly reason: ExitReason }
  | { readonly kind: "dispose_child"; readonly id: string }
  | { readonly kind: "schedule_restart"; readonly id: string; readonly delayMs: number }
  | { readonly kind: "cancel_restart"; readonly id: string }
  /** Answers the `startChild` or `restartChild` that waits for this start; `failure` is why it failed, or null. */
  | { readonly kind: "reply"; readonly id: string; readonly failure: ExitReason | null }
  | { readonly kind: "report"; readonly report: SupervisionReport; readonly budget?: RestartBudget }
  /** Every declared child has been started. */
  | { readonly kind: "supervisor_started" }
  /** Nothing runs any more. */
  | { readonly kind: "supervisor_ended"; readonly reason: ExitReason };

/** The handling of one event: the state so far, and the actions so far. */
export class Turn {
  state: SupervisorState;
  readonly at: number;
  readonly actions: Action[] = [];

  constructor(state: SupervisorState, at: number) {
    this.state = state;
    this.at = at;
  }

  child(id: string): ChildState | undefined {
    return findChild(this.state, id);
  }

  change(changes: Partial<SupervisorState>): void {
    this.state = { ...this.state, ...changes };
  }

  update(id: string, changes: Partial<ChildState>): void {
    const child = this.child(id);
    if (child !== undefined) this.state.children.replace({ ...child, ...changes });
  }

  do(action: Action): void {
    this.actions.push(action);
  }

  dispose(id: string): void {
    this.state.children.delete(id);
    this.do({ kind: "dispose_child", id });
  }

  /** Cancels the next restart attempt, if one is due. */
  cancelRestart({ id, phase }: ChildState): void {
    if (phase !== "waiting") return;
    this.update(id, { phase: "down", cause: null });
    this.do({ kind: "cancel_restart", id });
  }

  /** Counts an exit that calls for a restart, or a restart whose start failed. */
  countFailure(): RestartBudget {
    const { intensity, periodMs } = this.state.flags;
    const { failures } = recordFailure(this.state.failures, this.at, { intensity, periodMs });
    this.change({ failures });
    return { restartsLeft: intensity - failures.length, periodMs };
  }

  reportStarted(child: ChildState): void {
    const about = { ...this.#about(child), incarnation: child.incarnation };
    this.do({ kind: "report", report: { event: "actor_started", ...about } });
    if (child.cause?.kind !== "restart") return;
    const { attempt, delayMs, reason } = child.cause;
    this.do({ kind: "report", report: { event: "actor_restarted", ...about, attempt, delayMs, reason } });
  }

  reportExited(
    child: ChildState,
    reason: ExitReason,
    context: "child_terminated" | "shutdown_error" | null,
    budget?: RestartBudget,
  ): void {
    const about = { ...this.#about(child), incarnation: child.incarnation, reason };
    const report = { event: "actor_exited", ...about, ...(context === null ? {} : { context }) } as const;
    this.do({ kind: "report", report, ...(budget === undefined ? {} : { budget }) });
  }

  reportStartFailed(child: ChildState, reason: ExitReason, budget?: RestartBudget): void {
    const about = { ...this.#about(child), incarnation: child.incarnation, reason };
    const report = { event: "child_start_failed", ...about, context: "start_error" } as const;
    this.do({ kind: "report", report, ...(budget === undefined ? {} : { budget }) });
  }

  reportEscalated(child: ChildState, reason: ExitReason): void {
    const report = { ...this.#about(child), id: this.state.id, reason, context: "shutdown" } as const;
    this.do({ kind: "report", report: { event: "supervisor_escalated", ...report } });
  }

  #about({ id, type, restart, significant, shutdown }: ChildState) {
    const offender: ChildSummary = { id, type, restart, significant, shutdown };
    return { id: childPath(this.state, id), at: this.at, supervisor: this.state.id, offender };
  }
}
