/** A call, as this table needs it. */
interface Numbered {
  readonly correlation: number;
}

const FIRST_PLACES = 1024;
const MAX_PLACES = 65_536;

/**
 * Calls by their correlation. Correlations count up, so each call has a place of its own in a table. When a later call
 * needs the place, the earlier one moves to a Map.
 *
 * Not a Map for all: a Map that is filled and emptied for long moves to a new table now and then. The table it leaves,
 * once V8 has promoted it to the old generation, keeps alive its content and the next table. So all calls ever made
 * would stay until the next full collection, which took 20 % of main's time (Node 20).
 */
export class OpenCalls<Call extends Numbered> {
  #places = new Array<Call | undefined>(FIRST_PLACES).fill(undefined);
  readonly #longOpen = new Map<number, Call>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(call: Call): void {
    this.#size++;
    if (this.#longOpen.size > this.#places.length && this.#places.length < MAX_PLACES) this.#grow();
    this.#place(call);
  }

  get(correlation: number): Call | undefined {
    const call = this.#places[correlation & (this.#places.length - 1)];
    if (call !== undefined && call.correlation === correlation) return call;
    return this.#longOpen.size === 0 ? undefined : this.#longOpen.get(correlation);
  }

  delete(correlation: number): void {
    const place = correlation & (this.#places.length - 1);
    if (this.#places[place]?.correlation === correlation) this.#places[place] = undefined;
    else if (!this.#longOpen.delete(correlation)) return;
    this.#size--;
  }

  /** A copy of all open calls, in the order they were made. */
  values(): Call[] {
    const calls = [...this.#longOpen.values(), ...this.#places.filter((call) => call !== undefined)];
    // The shift compares as numbers of 31 bits do that wrap.
    return calls.sort((one, other) => (one.correlation - other.correlation) << 1);
  }

  #place(call: Call): void {
    const place = call.correlation & (this.#places.length - 1);
    const before = this.#places[place];
    if (before !== undefined) this.#longOpen.set(before.correlation, before);
    this.#places[place] = call;
  }

  #grow(): void {
    const calls = this.values();
    this.#places = new Array<Call | undefined>(this.#places.length * 4).fill(undefined);
    this.#longOpen.clear();
    for (const call of calls) this.#place(call);
  }
}
