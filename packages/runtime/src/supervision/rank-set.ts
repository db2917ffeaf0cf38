/** 32 ranks are the bits of one word, 32 words are the bits of one word of the next level, and so on: 2^30 ranks. */
const LEVELS = 6;

/** A set of whole numbers from 0. Each query takes a few steps, whatever the size of the set. */
export class RankSet {
  readonly #levels: number[][] = Array.from({ length: LEVELS }, () => [0]);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(rank: number): boolean {
    return bitsOf(this.#levels[0], rank >>> 5, 1 << (rank & 31)) !== 0;
  }

  add(rank: number): void {
    if (this.has(rank)) return;
    this.#size++;
    let index = rank;
    for (const words of this.#levels) {
      const at = index >>> 5;
      while (words.length <= at) words.push(0);
      const before = words[at];
      words[at] = before | (1 << (index & 31));
      if (before !== 0) return;
      index = at;
    }
  }

  delete(rank: number): void {
    if (!this.has(rank)) return;
    this.#size--;
    let index = rank;
    for (const words of this.#levels) {
      const at = index >>> 5;
      words[at] &= ~(1 << (index & 31));
      if (words[at] !== 0) return;
      index = at;
    }
  }

  clear(): void {
    this.#size = 0;
    for (const words of this.#levels) words.splice(0, words.length, 0);
  }

  /** The least, or -1. */
  first(): number {
    return this.#size === 0 ? -1 : this.#descend(LEVELS, 0, lowestBit);
  }

  /** The greatest, or -1. */
  last(): number {
    return this.#size === 0 ? -1 : this.#descend(LEVELS, 0, highestBit);
  }

  /** The least above `rank`, or -1. */
  after(rank: number): number {
    let index = rank;
    for (let level = 0; level < LEVELS; level++) {
      const above = bitsOf(this.#levels[level], index >>> 5, -2 << (index & 31));
      if (above !== 0) return this.#descend(level, (index & ~31) | lowestBit(above), lowestBit);
      index >>>= 5;
    }
    return -1;
  }

  #descend(from: number, start: number, choose: (word: number) => number): number {
    let index = start;
    for (let level = from - 1; level >= 0; level--) index = index * 32 + choose(this.#levels[level][index]);
    return index;
  }
}

function bitsOf(words: readonly number[], at: number, mask: number): number {
  return at < words.length ? words[at] & mask : 0;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function highestBit(word: number): number {
  return 31 - Math.clz32(word);
}
