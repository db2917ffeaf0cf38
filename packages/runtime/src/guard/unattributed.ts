/*
 * Memory that is resident and in no numbers of the actors' or of main's: what native code allocates, a queue of a
 * MessagePort, what an allocator has not given back. Nothing says whose it is. So what it grows by is put down to those
 * who ran meanwhile, in proportion; what it shrinks by is taken off everyone. That is a suspicion, not a proof.
 */

/** What was seen of one actor since the last look. */
export interface Ran<K> {
  readonly owner: K;
  /** How often it was seen to run, or to have a handler that waits. */
  readonly times: number;
}

export interface Suspect<K> {
  readonly owner: K;
  readonly grewMb: number;
}

export class Unattributed<K extends object> {
  readonly #grew = new Map<K, number>();
  /** Grown while no actor ran. */
  #nobodysMb = 0;
  #lastMb: number | undefined;

  /** `restMb`: what is resident less everyone's own numbers. `ran` names all actors that there are. */
  see(restMb: number, ran: readonly Ran<K>[]): void {
    const present = new Set(ran.map(({ owner }) => owner));
    for (const owner of this.#grew.keys()) if (!present.has(owner)) this.#grew.delete(owner);
    const changeMb = restMb - (this.#lastMb ?? restMb);
    this.#lastMb = restMb;
    if (changeMb < 0) this.#shrink(-changeMb);
    else if (changeMb > 0) this.#grow(changeMb, ran);
  }

  /** What has grown, as far as it has not shrunk again and those who ran are still there. */
  get mb(): number {
    let sumMb = this.#nobodysMb;
    for (const grewMb of this.#grew.values()) sumMb += grewMb;
    return sumMb;
  }

  /** The most suspect first. */
  get suspects(): Suspect<K>[] {
    return Array.from(this.#grew, ([owner, grewMb]) => ({ owner, grewMb })).sort((a, b) => b.grewMb - a.grewMb);
  }

  #grow(byMb: number, ran: readonly Ran<K>[]): void {
    const all = ran.reduce((sum, { times }) => sum + times, 0);
    if (all === 0) this.#nobodysMb += byMb;
    for (const { owner, times } of ran) {
      if (times > 0) this.#grew.set(owner, (this.#grew.get(owner) ?? 0) + (byMb * times) / all);
    }
  }

  #shrink(byMb: number): void {
    const { mb } = this;
    if (mb === 0) return;
    const left = Math.max(0, 1 - byMb / mb);
    this.#nobodysMb *= left;
    for (const [owner, grewMb] of this.#grew) this.#grew.set(owner, grewMb * left);
  }
}
