import { describeExit, isCleanExit } from "@mini-otp/worker-host/protocol/errors";
import type { Clock, Timer } from "../supervision/clock.js";
import type { RestartBudget, SupervisionReport } from "../supervision/report.js";
import type { LastSeen } from "./last-seen.js";
import { LoggableReasons } from "./loggable-reason.js";
import type { Logger } from "./logger.js";

/** This many identical reports are logged as they come. Further ones are counted. */
const LOGGED_AT_FIRST = 3;
const SUMMARY_EVERY_MS = 5000;

type Seen = SupervisionReport & LastSeen;

interface Repeats {
  logged: number;
  /** The last report that was not logged, and how many there were. */
  held: { readonly report: Seen; readonly budget: RestartBudget | undefined } | undefined;
  repeated: number;
}

/**
 * Logs the reports of supervisors: failures as errors with OTP's context, others at info or debug. Many failures do not
 * flood the log: identical reports become one line in five seconds, which says how many it stands for.
 */
export class ReportLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #reasons: LoggableReasons;
  readonly #repeats = new Map<string, Repeats>();
  #timer: Timer | undefined;

  constructor(logger: Logger, clock: Clock, reasons = new LoggableReasons()) {
    this.#logger = logger;
    this.#reasons = reasons;
    this.#clock = clock;
  }

  /** `budget` comes with a failure that the supervisor has counted. */
  add(report: Seen, budget?: RestartBudget): void {
    const key = identityOf(report);
    const repeats = this.#repeats.get(key) ?? { logged: 0, held: undefined, repeated: 0 };
    this.#repeats.set(key, repeats);
    this.#timer ??= this.#clock.setTimer(SUMMARY_EVERY_MS, () => this.#summarise());
    if (repeats.logged < LOGGED_AT_FIRST) {
      repeats.logged++;
      // The failures that it comes of stand before it, and their stacks are in their records.
      if (report.event === "supervisor_escalated") this.#flush();
      this.#write(report, budget);
    } else {
      repeats.repeated++;
      repeats.held = { report, budget };
    }
  }

  /** Logs the reports that were held back. */
  close(): void {
    this.#flush();
    this.#repeats.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #summarise(): void {
    // A report that has not come again is forgotten, and the next of its kind is logged at once.
    for (const [key, { repeated }] of this.#repeats) if (repeated === 0) this.#repeats.delete(key);
    this.#flush();
    this.#timer =
      this.#repeats.size === 0 ? undefined : this.#clock.setTimer(SUMMARY_EVERY_MS, () => this.#summarise());
  }

  #flush(): void {
    for (const repeats of this.#repeats.values()) {
      const { held, repeated } = repeats;
      // What has come once is a record as any other.
      if (held !== undefined && repeated === 1) this.#write(held.report, held.budget);
      else if (held !== undefined) this.#write(held.report, undefined, repeated);
      repeats.held = undefined;
      repeats.repeated = 0;
    }
  }

  #write(report: Seen, budget?: RestartBudget, repeated?: number): void {
    const { id, ...about } = report;
    const left = budget === undefined || budget.restartsLeft < 0 ? undefined : budget;
    const fields = { actor: id, ...about, ...left, ...(repeated === undefined ? {} : { repeated }) };
    const times = repeated === undefined ? "" : ` (${repeated} times)`;
    if (!("reason" in report)) {
      this.#logger.debug(fields, `${id} ${report.event}${times}`);
      return;
    }
    const { event, reason } = report;
    const failed = "context" in report && report.context !== undefined && !isCleanExit(reason);
    const level = event === "supervisor_escalated" || failed ? "error" : "info";
    this.#logger[level](
      { ...fields, reason: this.#reasons.of(reason, level) },
      `${id} ${event}: ${describeExit(reason)}${times}${left === undefined ? "" : `; ${allowed(report.supervisor, left)}`}`,
    );
  }
}

/** What is left before the supervisor gives up, as a clause. */
function allowed(supervisor: string, { restartsLeft, periodMs }: RestartBudget): string {
  const restarts = `${restartsLeft === 0 ? "no" : restartsLeft} more ${restartsLeft === 1 ? "restart" : "restarts"}`;
  return `${supervisor} allows ${restarts} within ${periodMs < 1000 ? `${periodMs} ms` : `${periodMs / 1000} s`}`;
}

/** The key by which reports count as identical. Times and counts are not part of it. */
function identityOf(report: Seen): string {
  const { event, id } = report;
  if (!("reason" in report)) return `${event} ${id}`;
  const { reason } = report;
  return `${event} ${id} ${reason.kind} ${"error" in reason ? describeExit(reason) : ""}`;
}
