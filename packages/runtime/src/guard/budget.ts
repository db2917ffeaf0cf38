import { BYTES_PER_MB } from "./probe.js";
import { type BudgetShare, checkGapMs, farthestOver, isOverBudget, type Overdraft, sumOf } from "./process-budget.js";
import { type Suspect, Unattributed } from "./unattributed.js";

/** A killed actor's memory needs a moment to be given back: no second kill before. */
const SETTLE_MS = 250;

/** Actors' numbers are some ten ms old: what seems to be in no numbers is in an actor's soon. */
const UNATTRIBUTED_FOR_MS = 500;

/** `unclaimedMb`: what is resident and no actor's. */
type OnNobody = (rssMb: number, totalMb: number, unclaimedMb: number) => void;

export interface BudgetedActor extends BudgetShare {
  /** How often it was seen to run since the last check. */
  readonly ran: number;
}

/** The process is over its budget for what is in no numbers of the actors' or main's. */
export interface Unexplained<A> {
  readonly rssMb: number;
  readonly totalMb: number;
  readonly unattributedMb: number;
  readonly suspects: readonly Suspect<A>[];
}

/** Holds the process to its budget. */
export class Budget<A extends object> {
  readonly #totalMb: number;
  readonly #onNobody: OnNobody;
  readonly #onUnexplained: (found: Unexplained<A>) => void;
  readonly #unattributed = new Unattributed<A>();
  /** When to check next. */
  dueAtMs = 0;
  #quietUntilMs = 0;
  #unexplainedSinceMs: number | undefined;
  #rssMb = 0;

  /**
   * `onNobody`: over budget, and no actor is over its share. `onUnexplained`: over budget for half a second, for what is
   * in no numbers of the actors' or main's. Both are told four times a second while it lasts.
   */
  constructor(totalMb: number, onNobody: OnNobody, onUnexplained: (found: Unexplained<A>) => void) {
    this.#totalMb = totalMb;
    this.#onNobody = onNobody;
    this.#onUnexplained = onUnexplained;
  }

  get unattributedMb(): number {
    return this.#unattributed.mb;
  }

  /** The actor to end now, if one has to be. `mainMb`: main's own heap and buffers. */
  check<B extends BudgetedActor & { readonly owner: A }>(
    nowMs: number,
    actors: readonly B[],
    mainMb: number,
  ): Overdraft<B> | undefined {
    const rssMb = this.#measure();
    const totalMb = this.#totalMb;
    this.dueAtMs = nowMs + checkGapMs(totalMb, rssMb);
    const usedMb = sumOf(actors);
    this.#unattributed.see(
      rssMb - usedMb - mainMb,
      actors.map(({ owner, ran }) => ({ owner, times: ran })),
    );
    const isOver = isOverBudget(totalMb, rssMb, actors);
    const isUnexplained = isOver && usedMb <= totalMb && rssMb - this.#unattributed.mb <= totalMb;
    this.#unexplainedSinceMs = isUnexplained ? (this.#unexplainedSinceMs ?? nowMs) : undefined;
    if (nowMs < this.#quietUntilMs || !isOver) return undefined;
    const over = farthestOver(totalMb, actors);
    if (this.#unexplainedSinceMs !== undefined) {
      const isSure = nowMs - this.#unexplainedSinceMs >= UNATTRIBUTED_FOR_MS;
      if (!isSure && over !== undefined) return undefined;
      this.#quietUntilMs = nowMs + SETTLE_MS;
      const { mb, suspects } = this.#unattributed;
      if (isSure) this.#onUnexplained({ rssMb, totalMb, unattributedMb: mb, suspects });
      this.#onNobody(rssMb, totalMb, rssMb - usedMb);
      return undefined;
    }
    this.#quietUntilMs = nowMs + SETTLE_MS;
    if (over === undefined) this.#onNobody(rssMb, totalMb, rssMb - usedMb);
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
