import { type ExitReason, isCleanExit } from "../protocol/errors/exit-reason.js";
import { RESTART_PERMANENT, RESTART_TEMPORARY } from "../protocol/memory/cells.js";
import { type IntensityLimit, recordFailure } from "../protocol/options/restart-intensity.js";
import { type Cell, STARTING } from "./cell.js";
import type { AfterEnd } from "./news.js";

interface Verdict {
  readonly outcome: AfterEnd;
  /** When the lives of one that begins another have failed. */
  readonly failures: readonly number[];
}

const NONE: readonly number[] = [];

/**
 * Which members begin another life when they end. Each has a budget of its own: one for all of them would end the whole
 * partition at the first client that fails again and again.
 */
export class MemberRestarts {
  readonly #limit: IntensityLimit;

  constructor(limit: IntensityLimit) {
    this.#limit = limit;
  }

  /** What becomes of a member that ends at `now`. */
  after(cell: Cell, reason: ExitReason, now: number): Verdict {
    const { history, phase, draining } = cell;
    const { restart } = cell.type.spec;
    // One that was told to end does, and a first start that fails is its starter's to see.
    const isOver = draining !== undefined || (phase === STARTING && history === undefined);
    const isDone = restart === RESTART_TEMPORARY || (restart !== RESTART_PERMANENT && isCleanExit(reason));
    if (isOver || isDone) return { outcome: "gone", failures: NONE };
    const { failures, restartAllowed } = recordFailure(history?.failures ?? NONE, now, this.#limit);
    return { outcome: restartAllowed ? "restarted" : "given_up", failures };
  }
}
