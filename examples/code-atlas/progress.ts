import { clearLine, cursorTo } from "node:readline";
import type { WriteStream } from "node:tty";

const REDRAW_MS = 80;

/** How far a phase is: on a terminal one line on stderr that is redrawn and gone at the end, elsewhere nothing. */
export class Progress {
  readonly #live: boolean;
  #phase = "";
  #total: number | undefined;
  #done = 0;
  #shownAt = 0;

  constructor(private readonly output: WriteStream) {
    this.#live = output.isTTY && process.env.TERM !== "dumb";
  }

  /** Starts a phase of `total` units, or of a number that is not known yet. */
  begin(phase: string, total?: number): void {
    [this.#phase, this.#total, this.#done] = [phase, total, 0];
    this.advance(0);
  }

  advance(units: number): void {
    this.#done += units;
    if (!this.#live || performance.now() - this.#shownAt < REDRAW_MS) return;
    this.#shownAt = performance.now();
    const amount = this.#total === undefined ? this.#done : `${Math.floor((100 * this.#done) / this.#total)} %`;
    this.clear();
    this.output.write(`${this.#phase}: ${amount}`.slice(0, this.output.columns - 1));
  }

  /** A line that stays. */
  note(line: string): void {
    this.clear();
    this.output.write(`${line}\n`);
  }

  clear(): void {
    if (!this.#live) return;
    cursorTo(this.output, 0);
    clearLine(this.output, 0);
  }
}
