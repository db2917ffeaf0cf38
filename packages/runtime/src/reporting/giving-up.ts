import { describeExit, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { RecentRestarts } from "../supervision/administration.js";
import type { SupervisionReport } from "../supervision/report.js";
import type { LoggableReasons } from "./loggable-reason.js";
import type { Logger } from "./logger.js";

interface Failure {
  readonly id: string;
  readonly at: number;
  readonly reason: ExitReason;
}

/**
 * Keeps the recent failures of a supervisor's children, for the record that is written when the supervisor gives up.
 */
export class LastFailures {
  readonly #supervisor: string;
  readonly #reasons: LoggableReasons;
  #failures: Failure[] = [];

  constructor(supervisor: string, reasons: LoggableReasons) {
    this.#supervisor = supervisor;
    this.#reasons = reasons;
  }

  add(report: SupervisionReport, periodMs: number): void {
    if (report.supervisor !== this.#supervisor || !countsAsFailure(report)) return;
    const { id, at, reason } = report;
    this.#failures = [...this.#failures.filter((failure) => failure.at >= at - periodMs), { id, at, reason }];
  }

  /** Writes the record of the end: which child failed how often, why, and what can be done. Returns its text. */
  tell(logger: Logger, { intensity, periodMs }: RecentRestarts): string {
    const times = new Map<string, number>();
    for (const { id } of this.#failures) times.set(id, (times.get(id) ?? 0) + 1);
    const failed = Array.from(times, ([id, count]) => `${id} failed ${count === 1 ? "once" : `${count} times`}`);
    const last = this.#failures.at(-1);
    const text = [
      `${this.#supervisor} gives up, and the system stops: within periodMs=${periodMs} ${failed.join(", ")},`,
      `and intensity=${intensity} allows ${intensity === 1 ? "one restart" : `${intensity} restarts`}.`,
      ...(last === undefined ? [] : [`The last failure: ${last.id} ended with ${describeExit(last.reason)}.`]),
      "Mend what fails there; if it heals by itself, give that child a backoff, or put it under a supervisor of its own.",
    ].join(" ");
    const reason = last === undefined ? {} : { child: last.id, reason: this.#reasons.of(last.reason, "fatal") };
    const failures = Object.fromEntries(times);
    logger.fatal({ actor: this.#supervisor, failures, intensity, periodMs, ...reason }, text);
    return text;
  }
}

type FailureReport = Extract<SupervisionReport, { event: "actor_exited" | "child_start_failed" }>;

/** Counts as the supervisor does: an exit that calls for a restart, and a restart that fails. */
function countsAsFailure(report: SupervisionReport): report is FailureReport {
  if (report.event === "child_start_failed") return report.incarnation > 1;
  return (
    report.event === "actor_exited" && report.context === "child_terminated" && report.offender.restart !== "temporary"
  );
}
