import { BYTES_PER_MB } from "./probe.js";
import { type BudgetShare, checkGapMs, farthestOver, isOverBudget, type Overdraft, sumOf } from "./process-budget.js";
import { type Suspect, Unattributed } from "./unattributed.js";

/** It takes a moment until the memory of a killed actor is given back. There is no second kill before that. */
const SETTLE_MS = 250;

/** Actors' samples are some ten ms old: memory that no sample shows yet is in an actor's sample soon. */
const UNATTRIBUTED_FOR_MS = 500;

/** `unclaimedMb`: resident memory that no actor uses, by the actors' samples. */
type OnNoneOver = (rssMb: number, totalMb: number, unclaimedMb: number) => void;

export interface BudgetedActor extends BudgetShare {
  /** How often it was seen to run since the last check. */
  readonly ran: number;
}

/** The process is over its budget because of memory that neither the actors' samples nor main's own numbers show. */
export interface Unexplained<A> {
  readonly rssMb: number;
  readonly totalMb: number;
  readonly unattributedMb: number;
  readonly suspects: readonly Suspect<A>[];
}

/** Holds the process to its budget. */
export class Budget<A extends object> {
  readonly #totalMb: number;
  readonly #onNoneOver: OnNoneOver;
  readonly #onUnexplained: (found: Unexplained<A>) => void;
  readonly #unattributed = new Unattributed<A>();
  /** When to check next. */
  dueAtMs = 0;
  #quietUntilMs = 0;
  #unexplainedSinceMs: number | undefined;
  #rssMb = 0;

  /**
   * `onNoneOver` is called while the process is over its budget and no actor is over its share. `onUnexplained` is
   * called once unattributed memory has kept the process over its budget for half a second. Both are called every 250
   * ms while that lasts.
   */
  constructor(totalMb: number, onNoneOver: OnNoneOver, onUnexplained: (found: Unexplained<A>) => void) {
    this.#totalMb = totalMb;
    this.#onNoneOver = onNoneOver;
    this.#onUnexplained = onUnexplained;
  }

  get unattributedMb(): number {
    return this.#unattributed.mb;
  }

  /** Checks the budget. Returns the actor to end now, if there is one. `mainMb`: main's own heap and buffers. */
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
      this.#onNoneOver(rssMb, totalMb, rssMb - usedMb);
      return undefined;
    }
    this.#quietUntilMs = nowMs + SETTLE_MS;
    if (over === undefined) this.#onNoneOver(rssMb, totalMb, rssMb - usedMb);
    return over;
  }

  #measure(): number {
    try {
      this.#rssMb = process.memoryUsage.rss() / BYTES_PER_MB;
    } catch {
      // It reads a file, which fails when an actor has taken the last descriptor. The sum over actors is still known.
    }
    return this.#rssMb;
  }
}
