import { BYTES_PER_MB } from "./probe.js";
import { type BudgetShare, checkGapMs, farthestOver, isOverBudget, type Overdraft, sumOf } from "./process-budget.js";

/** A killed actor's memory needs a moment to be given back: no second kill before. */
const SETTLE_MS = 250;

/** `unclaimedMb`: what is resident and no actor's. */
type OnNobody = (rssMb: number, totalMb: number, unclaimedMb: number) => void;

/** Holds the process to its budget. */
export class Budget {
  readonly #totalMb: number;
  readonly #onNobody: OnNobody;
  /** When to check next. */
  dueAtMs = 0;
  #quietUntilMs = 0;
  #rssMb = 0;

  /** `onNobody`: over budget, and no actor is over its share. Told four times a second while it lasts. */
  constructor(totalMb: number, onNobody: OnNobody) {
    this.#totalMb = totalMb;
    this.#onNobody = onNobody;
  }

  /** The actor to end now, if one has to be. */
  check<A extends BudgetShare>(nowMs: number, actors: readonly A[]): Overdraft<A> | undefined {
    const rssMb = this.#measure();
    this.dueAtMs = nowMs + checkGapMs(this.#totalMb, rssMb);
    if (nowMs < this.#quietUntilMs || !isOverBudget(this.#totalMb, rssMb, actors)) return undefined;
    const over = farthestOver(this.#totalMb, actors);
    this.#quietUntilMs = nowMs + SETTLE_MS;
    if (over === undefined) this.#onNobody(rssMb, this.#totalMb, rssMb - sumOf(actors));
    return over;
  }

  #measure(): number {
    try {
      this.#rssMb = process.memoryUsage.rss() / BYTES_PER_MB;
    } catch {
      // It reads a file, and an actor may have taken the last descriptor: the sum over actors is still known.
    }
    return this.#rssMb;
  }
}
