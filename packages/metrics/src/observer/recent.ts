/**
 * The last items of a sequence, limited in number and weight. A reader keeps the `seq` of the last item that it has
 * read.
 */
export class Recent<T> {
  readonly #items: (T | undefined)[];
  readonly #weights: number[];
  readonly #maxWeight: number;
  #oldest = 1;
  #next = 1;
  #weight = 0;

  constructor(capacity: number, maxWeight = Infinity) {
    this.#items = new Array<T | undefined>(capacity);
    this.#weights = new Array<number>(capacity).fill(0);
    this.#maxWeight = maxWeight;
  }

  /** The number of the last item; 0 before the first. */
  get seq(): number {
    return this.#next - 1;
  }

  add(make: (seq: number) => T, weight = 0): T {
    const seq = this.#next++;
    if (seq - this.#oldest >= this.#items.length) this.#dropOldest();
    const item = make(seq);
    this.#items[seq % this.#items.length] = item;
    this.#weights[seq % this.#items.length] = weight;
    this.#weight += weight;
    while (this.#weight > this.#maxWeight && this.#oldest < seq) this.#dropOldest();
    return item;
  }

  /** The last `max` items after `seq`, and how many items between are missing. */
  since(seq: number, max = Infinity): { readonly items: readonly T[]; readonly skipped: number } {
    // A reader that was connected to an earlier server may be ahead.
    const after = seq > this.seq ? 0 : seq;
    const from = Math.max(after + 1, this.#oldest, this.#next - max);
    const items: T[] = [];
    for (let at = from; at < this.#next; at++) items.push(this.#items[at % this.#items.length] as T);
    return { items, skipped: from - after - 1 };
  }

  #dropOldest(): void {
    const place = this.#oldest++ % this.#items.length;
    this.#weight -= this.#weights[place] as number;
    this.#items[place] = undefined;
  }
}
