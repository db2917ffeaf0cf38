import { type Cell, ENDED, ENDING, UP } from "./cell.js";

/** The members that have something to do, each once, in the order in which they got it. */
export class Line {
  #head: Cell | undefined;
  #tail: Cell | undefined;
  #schedule: () => void = () => {};

  /** `schedule` makes the thread's loop come for them. */
  wakeBy(schedule: () => void): void {
    this.#schedule = schedule;
  }

  schedule(): void {
    this.#schedule();
  }

  /** It may have something to do. */
  wake(cell: Cell): void {
    if (cell.inLine || cell.busy || cell.phase === ENDED || cell.phase === ENDING) return;
    const { extras } = cell;
    const hasOwn = extras !== undefined && (extras.own.length > 0 || extras.continuations.length > 0);
    const ends = cell.stopping !== undefined || cell.draining !== undefined;
    if (cell.first === undefined && !hasOwn && !ends && cell.phase === UP) return;
    cell.inLine = true;
    if (this.#tail === undefined) this.#head = cell;
    else this.#tail.nextInLine = cell;
    this.#tail = cell;
    this.#schedule();
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
