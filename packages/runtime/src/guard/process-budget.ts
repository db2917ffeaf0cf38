/*
 * The budget of the whole process. Neither number shows everything. The actors' samples leave out main, code, stacks
 * and (on Node 26) wasm memory. The resident set leaves out memory that was swapped out or never touched.
 */

/** How much unattributed memory may grow before we conclude that a zombie thread is leaking. */
const RUNAWAY_SHARE = 0.1;
/** Threads and their code are unattributed too: 10 to 20 MiB each. */
const RUNAWAY_LEAST_MB = 64;

/** Reading the resident set takes 0.1 ms where there are 500 threads (Linux adds up over all of them). */
const CHECK_MS = 50;
/** A check may be later by the time that the process needs to reach half of its budget when it grows by 8 GiB/s. */
const GROWTH_MB_PER_MS = 8;
const MAX_EXTRA_MS = 150;

export interface BudgetShare {
  readonly usedMb: number;
  /** The sum of its caps: its share of the budget is in proportion to this. */
  readonly capMb: number;
}

export interface Overdraft<A> {
  readonly actor: A;
  readonly usedMb: number;
  readonly shareMb: number;
}

export function isOverBudget(totalMb: number, rssMb: number, actors: Iterable<BudgetShare>): boolean {
  return Math.max(rssMb, sumOf(actors)) > totalMb;
}

/** The time from a check that found `rssMb` to the next. */
export function checkGapMs(totalMb: number, rssMb: number): number {
  return CHECK_MS + Math.max(0, Math.min((totalMb / 2 - rssMb) / GROWTH_MB_PER_MS, MAX_EXTRA_MS));
}

export function sumOf(actors: Iterable<BudgetShare>): number {
  let sumMb = 0;
  for (const { usedMb } of actors) sumMb += usedMb;
  return sumMb;
}

/** The actor farthest over its share of the budget; undefined when none is over. */
export function farthestOver<A extends BudgetShare>(totalMb: number, actors: readonly A[]): Overdraft<A> | undefined {
  const capsMb = actors.reduce((sum, { capMb }) => sum + capMb, 0);
  let farthest: Overdraft<A> | undefined;
  for (const actor of actors) {
    const shareMb = (totalMb * actor.capMb) / capsMb;
    const overMb = actor.usedMb - shareMb;
    if (overMb > 0 && (farthest === undefined || overMb > farthest.usedMb - farthest.shareMb)) {
      farthest = { actor, usedMb: actor.usedMb, shareMb };
    }
  }
  return farthest;
}

/**
 * Whether a zombie thread leaks: the process is over its budget, and memory of no living actor has grown by `grownMb`
 * since the thread survived its kill.
 */
export function isRunaway(totalMb: number, grownMb: number): boolean {
  return grownMb > Math.max(totalMb * RUNAWAY_SHARE, RUNAWAY_LEAST_MB);
}
