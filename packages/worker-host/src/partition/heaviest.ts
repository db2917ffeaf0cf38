import { Weight } from "./weight.js";

/** Values between two looks at the clock. */
const VALUES_A_LOOK = 512;
/** So often parts that two of them share are taken out; then nothing is said. */
const MOST_SHARED = 8;

/** What is weighed. */
interface Held<T> {
  readonly of: T;
  readonly state: unknown;
}

/** The limits in bytes over which one counts as heavy. */
export interface HeavyFrom {
  readonly heapBytes: number;
  readonly offHeapBytes: number;
}

export interface Heavy<T> {
  readonly of: T;
  readonly heapBytes: number;
  readonly offHeapBytes: number;
}

/**
 * Finds the one that holds most, of those that hold more than a limit. What two such hold together, as a cache of their
 * module that both refer to, is neither's.
 */
export class Heaviest<T> {
  readonly #limits: HeavyFrom;
  readonly #todo: Held<T>[];
  readonly #shared = new Set<unknown>();
  #rounds = 0;
  #weighed: Held<T> | undefined;
  #weight: Weight | undefined;
  #found: { readonly held: Held<T>; readonly weight: Weight } | undefined;

  constructor(all: Iterable<Held<T>>, limits: HeavyFrom) {
    this.#todo = [...all];
    this.#limits = limits;
  }

  /** Works until `performance.now()` is past `until`. True when it is done. */
  work(until: number): boolean {
    for (;;) {
      if (this.#weight === undefined) {
        this.#weighed = this.#todo.pop();
        if (this.#weighed === undefined) return true;
        // Beyond the limit, to tell who holds more of two that hold too much.
        const most = 2 * Math.max(this.#limits.heapBytes, this.#limits.offHeapBytes);
        this.#weight = new Weight(this.#weighed.state, this.#shared, most);
      }
      if (this.#weight.advance(VALUES_A_LOOK)) {
        this.#done(this.#weighed as Held<T>, this.#weight);
        this.#weight = undefined;
        if (this.#rounds > MOST_SHARED) return true;
      }
      if (performance.now() > until) return false;
    }
  }

  /** Once it is done; undefined when none holds too much. */
  get found(): Heavy<T> | undefined {
    if (this.#found === undefined || this.#rounds > MOST_SHARED) return undefined;
    const { held, weight } = this.#found;
    return { of: held.of, heapBytes: weight.heapBytes, offHeapBytes: weight.offHeapBytes };
  }

  #done(held: Held<T>, weight: Weight): void {
    if (this.#loadOf(weight) <= 1) return;
    const other = this.#found;
    if (other === undefined) {
      this.#found = { held, weight };
      return;
    }
    let isSharing = false;
    for (const value of weight.seen) {
      if (!other.weight.seen.has(value)) continue;
      this.#shared.add(value);
      isSharing = true;
    }
    if (isSharing) {
      this.#rounds++;
      this.#found = undefined;
      this.#todo.push(held, other.held);
    } else if (this.#loadOf(weight) > this.#loadOf(other.weight)) {
      this.#found = { held, weight };
    }
  }

  /** Over 1: too much. */
  #loadOf({ heapBytes, offHeapBytes }: Weight): number {
    return Math.max(heapBytes / this.#limits.heapBytes, offHeapBytes / this.#limits.offHeapBytes);
  }
}
