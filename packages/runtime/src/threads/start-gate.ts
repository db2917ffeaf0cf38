/** A thread that still loads its module after this long waits for something other than a core: the next may begin. */
const HOLDS_UP_MS = 500;

/** A start's place in the line. `leave` gives it up, before its turn or after. */
export interface StartTurn {
  leave(): void;
}

/**
 * Limits how many threads load at once. Loading keeps a core busy for 30 to 50 ms, so hundreds at once finish no sooner
 * than one after the other, but each of them takes as long as all.
 */
export class StartGate {
  readonly #places: number;
  readonly #waiting = new Set<() => void>();
  #loading = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Calls `start` at once if there is a place, and otherwise when another start has left. */
  enter(start: () => void): StartTurn {
    let leave = (): void => void this.#waiting.delete(begin);
    const begin = (): void => {
      this.#loading++;
      const timer = setTimeout(() => leave(), HOLDS_UP_MS).unref();
      leave = () => {
        leave = () => {};
        clearTimeout(timer);
        this.#loading--;
        this.#next();
      };
      start();
    };
    if (this.#loading < this.#places) begin();
    else this.#waiting.add(begin);
    return { leave: () => leave() };
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#loading >= this.#places) return;
    this.#waiting.delete(first);
    first();
  }
}
