/*
 * The budget of the whole process. Neither number sees everything: what the actors report leaves out main,
 * code, stacks and (on Node 26) wasm memory; the resident set leaves out what was swapped out or never touched.
 */

/** How much unattributed memory may grow before we conclude that a zombie thread is leaking. */
const RUNAWAY_SHARE = 0.1;
/** Threads and their code are unattributed too: 10 to 20 MiB each. */
const RUNAWAY_LEAST_MB = 64;

/** Reading the resident set takes 0.1 ms where there are 500 threads (Linux adds up over all of them). */
const CHECK_MS = 50;
/** A check may be later by what the process needs to get half way to its budget when it grows by 8 GiB/s. */
const GROWTH_MB_PER_MS = 8;
const MAX_EXTRA_MS = 150;

export interface BudgetShare {
  readonly usedMb: number;
  /** What its spec allows it: its part of the budget is in proportion to this. */
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

/** How long after the resident set was this large the budget is checked again. */
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

/** Over its budget, with a thread that survived its kill: what is no living actor's has grown by `grownMb` since. */
export function isRunaway(totalMb: number, grownMb: number): boolean {
  return grownMb > Math.max(totalMb * RUNAWAY_SHARE, RUNAWAY_LEAST_MB);
}
