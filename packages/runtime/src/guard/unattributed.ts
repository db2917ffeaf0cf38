/*
 * Unattributed memory: resident memory that neither the actors' samples nor main's own numbers show. Native code
 * allocates such memory, a MessagePort's queue is such memory, and so is memory that an allocator has not given back.
 * Nothing tells which actor it belongs to. So its growth is divided among the actors that ran meanwhile, in proportion,
 * and when it shrinks every actor's part shrinks. That is a suspicion, not a proof.
 */

/** How much one actor ran since the last look. */
export interface Ran<K> {
  readonly owner: K;
  /** How often it ran, or had a handler that waits, when the guard looked. */
  readonly times: number;
}

export interface Suspect<K> {
  readonly owner: K;
  readonly grewMb: number;
}

export class Unattributed<K extends object> {
  readonly #grew = new Map<K, number>();
  /** Growth while no actor ran. */
  #idleGrewMb = 0;
  #lastMb: number | undefined;

  /**
   * `restMb`: the resident memory less the actors' samples and main's own numbers. `ran` names all actors there are.
   */
  see(restMb: number, ran: readonly Ran<K>[]): void {
    const present = new Set(ran.map(({ owner }) => owner));
    for (const owner of this.#grew.keys()) if (!present.has(owner)) this.#grew.delete(owner);
    const changeMb = restMb - (this.#lastMb ?? restMb);
    this.#lastMb = restMb;
    if (changeMb < 0) this.#shrink(-changeMb);
    else if (changeMb > 0) this.#grow(changeMb, ran);
  }

  /** The growth so far, less what has shrunk again, and less the parts of actors that are gone. */
  get mb(): number {
    let sumMb = this.#idleGrewMb;
    for (const grewMb of this.#grew.values()) sumMb += grewMb;
    return sumMb;
  }

  /** The most suspect first. */
  get suspects(): Suspect<K>[] {
    return Array.from(this.#grew, ([owner, grewMb]) => ({ owner, grewMb })).sort((a, b) => b.grewMb - a.grewMb);
  }

  #grow(byMb: number, ran: readonly Ran<K>[]): void {
    const all = ran.reduce((sum, { times }) => sum + times, 0);
    if (all === 0) this.#idleGrewMb += byMb;
    for (const { owner, times } of ran) {
      if (times > 0) this.#grew.set(owner, (this.#grew.get(owner) ?? 0) + (byMb * times) / all);
    }
  }

  #shrink(byMb: number): void {
    const { mb } = this;
    if (mb === 0) return;
    const left = Math.max(0, 1 - byMb / mb);
    this.#idleGrewMb *= left;
    for (const [owner, grewMb] of this.#grew) this.#grew.set(owner, grewMb * left);
  }
}
