const CHUNK_BITS = 16;
const CHUNK_STATES = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_STATES - 1;

/**
 * The set of states seen so far, numbered in the order they were added. A state is one byte per field; here it
 * takes as many bits as its largest values need. Nothing is hashed away: two states are one only if all their
 * fields are equal.
 */
export class StateTable {
  readonly #maxima: readonly number[];
  readonly #names: readonly string[];
  // The fields that are used, and where each lives in its word of a packed state.
  readonly #fields: Int32Array;
  readonly #shiftOf: Int32Array;
  readonly #maskOf: Int32Array;
  /** Which of them is the first in a word; and one more, their count. */
  readonly #firstOf: Int32Array;
  readonly #words: number;
  readonly #packed: Int32Array;
  readonly #chunks: Int32Array[] = [];
  /** Open addressing; an entry is a state's number + 1, 0 when empty. */
  #buckets = new Int32Array(1 << 16);
  #size = 0;

  /** `maxima[field]` is the largest value of a field, 0 for one that is not used. */
  constructor(names: readonly string[], maxima: readonly number[]) {
    this.#names = names;
    this.#maxima = maxima;
    const used = maxima.flatMap((max, field) => (max > 0 ? [field] : []));
    this.#fields = Int32Array.from(used);
    this.#shiftOf = new Int32Array(used.length);
    this.#maskOf = new Int32Array(used.length);
    const firsts = [0];
    let shift = 0;
    used.forEach((field, i) => {
      const bits = 32 - Math.clz32(maxima[field]);
      if (shift + bits > 32) {
        firsts.push(i);
        shift = 0;
      }
      this.#shiftOf[i] = shift;
      this.#maskOf[i] = (1 << bits) - 1;
      shift += bits;
    });
    this.#words = firsts.length;
    this.#firstOf = Int32Array.from([...firsts, used.length]);
    this.#packed = new Int32Array(this.#words);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds `state`. Returns its number, or `~number` when it was there before. */
  add(state: Uint8Array): number {
    const bucket = this.#bucketOf(state);
    const entry = this.#buckets[bucket];
    if (entry !== 0) return ~(entry - 1);
    for (let field = 0; field < state.length; field++) {
      if (state[field] > this.#maxima[field]) {
        throw new RangeError(`field=${this.#names[field]} value=${state[field]} max=${this.#maxima[field]}`);
      }
    }
    const number = this.#size++;
    if ((number & CHUNK_MASK) === 0) this.#chunks.push(new Int32Array(CHUNK_STATES * this.#words));
    this.#chunks[number >>> CHUNK_BITS].set(this.#packed, (number & CHUNK_MASK) * this.#words);
    this.#buckets[bucket] = number + 1;
    if (this.#size * 2 > this.#buckets.length) this.#grow();
    return number;
  }

  /** The number of `state`, or −1 when it was never added. */
  find(state: Uint8Array): number {
    return this.#buckets[this.#bucketOf(state)] - 1;
  }

  /** Unpacks the state numbered `number`. */
  read(number: number, into: Uint8Array): void {
    const chunk = this.#chunks[number >>> CHUNK_BITS];
    const at = (number & CHUNK_MASK) * this.#words;
    const fields = this.#fields;
    const shiftOf = this.#shiftOf;
    const maskOf = this.#maskOf;
    const firstOf = this.#firstOf;
    for (let word = 0; word < this.#words; word++) {
      const bits = chunk[at + word];
      for (let i = firstOf[word]; i < firstOf[word + 1]; i++) into[fields[i]] = (bits >>> shiftOf[i]) & maskOf[i];
    }
  }

  #bucketOf(state: Uint8Array): number {
    this.#pack(state);
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    for (let bucket = hash(this.#packed, 0, this.#words) & mask; ; bucket = (bucket + 1) & mask) {
      const entry = buckets[bucket];
      if (entry === 0 || this.#holds(entry - 1)) return bucket;
    }
  }

  #pack(state: Uint8Array): void {
    const fields = this.#fields;
    const shiftOf = this.#shiftOf;
    const firstOf = this.#firstOf;
    const packed = this.#packed;
    for (let word = 0; word < packed.length; word++) {
      let bits = 0;
      for (let i = firstOf[word]; i < firstOf[word + 1]; i++) bits |= state[fields[i]] << shiftOf[i];
      packed[word] = bits;
    }
  }

  #holds(number: number): boolean {
    const packed = this.#packed;
    const chunk = this.#chunks[number >>> CHUNK_BITS];
    const at = (number & CHUNK_MASK) * packed.length;
    for (let word = 0; word < packed.length; word++) if (chunk[at + word] !== packed[word]) return false;
    return true;
  }

  #grow(): void {
    const buckets = new Int32Array(this.#buckets.length * 2);
    const mask = buckets.length - 1;
    for (let number = 0; number < this.#size; number++) {
      const at = (number & CHUNK_MASK) * this.#words;
      let bucket = hash(this.#chunks[number >>> CHUNK_BITS], at, this.#words) & mask;
      while (buckets[bucket] !== 0) bucket = (bucket + 1) & mask;
      buckets[bucket] = number + 1;
    }
    this.#buckets = buckets;
  }
}

function hash(words: Int32Array, at: number, count: number): number {
  let h = 0x9e3779b9;
  for (let i = 0; i < count; i++) {
    h = Math.imul(h ^ words[at + i], 0x85ebca6b);
    h ^= h >>> 15;
  }
  return Math.imul(h, 0xc2b2ae35) ^ (h >>> 13);
}
