import { describeExit } from "@mini-otp/worker-host/protocol/errors";
import type { Events } from "../reporting/events.js";
import type { Logger } from "../reporting/logger.js";
import type { GuardListener } from "./guard.js";
import type { FullGuardOptions } from "./guard-options.js";
import type { Zombies } from "./zombies.js";

const REMIND_MS = 5000;

/** Limits a report that repeats to one in five seconds. */
class Reminder {
  #atMs = 0;

  isDue(): boolean {
    const nowMs = performance.now();
    if (nowMs < this.#atMs) return false;
    this.#atMs = nowMs + REMIND_MS;
    return true;
  }
}

export interface GuardReports extends GuardListener {
  /** How often unattributed memory was reported. */
  readonly unattributedReports: number;
}

/** Writes what the guard does to the events and the log. */
export function guardListener(
  logger: Logger,
  events: Events,
  zombies: Zombies,
  methodName: (words: Int32Array) => string,
  onUnattributed: FullGuardOptions["onUnattributed"],
  giveUpProcess: () => void,
): GuardReports {
  const ofBudget = new Reminder();
  const ofUnattributed = new Reminder();
  let reports = 0;
  let leaving = false;
  return {
    methodName,
    get unattributedReports() {
      return reports;
    },
    killing({ id }, reason) {
      events.emit({ event: "guard_killed", id, at: performance.now(), reason });
      logger.warn({ actor: id, reason }, `guard ends ${id}: ${describeExit(reason)}`);
    },
    overBudget(rssMb, totalMb, unclaimedMb) {
      if (ofBudget.isDue()) {
        logger.error({ rssMb, totalMb }, "the process is over guard.totalMb, and no actor's own numbers explain it");
      }
      zombies.overBudget(totalMb, unclaimedMb);
    },
    unattributed(found) {
      // With `"kill_suspect"` each suspect that is ended has its own report.
      if (leaving || (onUnattributed === "report" && !ofUnattributed.isDue())) return;
      reports++;
      const { unattributedMb, suspects } = found;
      const id = suspects[0]?.id ?? "root";
      events.emit({ event: "memory_unattributed", id, at: performance.now(), action: onUnattributed, ...found });
      const whose = suspects.length === 0 ? "no actor ran while it grew" : `${id} ran while it grew`;
      logger.error(
        { ...found, action: onUnattributed },
        `${Math.round(unattributedMb)} MiB are in no actor's numbers: ${whose}`,
      );
      if (onUnattributed !== "exit") return;
      leaving = true;
      giveUpProcess();
    },
  };
}
