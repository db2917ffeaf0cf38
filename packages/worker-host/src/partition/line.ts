import { type Cell, ENDED, ENDING, UP } from "./cell.js";

/** The members that have something to do, each once, in the order in which they got it. */
export class Line {
  #head: Cell | undefined;
  #tail: Cell | undefined;
  #schedule: () => void = () => {};
  #isAtWork = false;

  /** `schedule` makes the thread's loop come for them. */
  wakeBy(schedule: () => void): void {
    this.#schedule = schedule;
  }

  /** Not while a round of turns runs: the loop comes again after it, and to ask would cost a round of microtasks. */
  schedule(): void {
    if (!this.#isAtWork) this.#schedule();
  }

  /** Runs a round of turns. It returns how many messages it has handled; after one or more the loop comes again. */
  round(turns: () => number): number {
    this.#isAtWork = true;
    let handled = 0;
    try {
      handled = turns();
    } finally {
      this.#isAtWork = false;
      if (handled === 0 && this.#head !== undefined) this.#schedule();
    }
    return handled;
  }

  /** It may have something to do. */
  wake(cell: Cell): void {
    if (cell.inLine || cell.busy || cell.phase === ENDED || cell.phase === ENDING) return;
    const { extras } = cell;
    const hasOwn = extras !== undefined && (extras.own.length > 0 || extras.continuations.length > 0);
    const ends = cell.stopping !== undefined || cell.draining !== undefined;
    if (cell.suspended && !ends && cell.phase === UP) return;
    if (cell.first === undefined && !hasOwn && !ends && cell.phase === UP) return;
    cell.inLine = true;
    if (this.#tail === undefined) this.#head = cell;
    else this.#tail.nextInLine = cell;
    this.#tail = cell;
    this.schedule();
  }

  /** Takes out the next one. */
  next(): Cell | undefined {
    const cell = this.#head;
    if (cell === undefined) return undefined;
    this.#head = cell.nextInLine;
    if (this.#head === undefined) this.#tail = undefined;
    cell.nextInLine = undefined;
    cell.inLine = false;
    return cell;
  }
}
