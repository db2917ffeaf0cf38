/** A thread that has not loaded its module after this long waits for something: others may load meanwhile. */
const HOLDS_UP_MS = 500;

/** A place in the line; `leave` gives it up, whether its turn has come or not. */
export interface StartTurn {
  leave(): void;
}

/**
 * Lets only so many threads load at once. A thread that loads keeps a core busy for 30 to 50 ms: hundreds at once
 * finish no sooner than one after the other, but each takes as long as all of them.
 */
export class StartGate {
  readonly #places: number;
  readonly #waiting = new Set<() => void>();
  #loading = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Calls `start` when there is a place: at once, or when another has left. */
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
