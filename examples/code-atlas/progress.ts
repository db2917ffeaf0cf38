import type { WriteStream } from "node:tty";

export interface ProgressOutput extends Pick<WriteStream, "write"> {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const BAR_CELLS = 28;
const REDRAW_MS = 80;
const LINE_MS = 1_000;

/**
 * How far a phase is, on stderr. On a terminal one line, redrawn and gone at the end; elsewhere plain lines, one for
 * each tenth of the way and at most one a second.
 */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #live: boolean;
  readonly #color: boolean;
  #phase = "";
  #total: number | undefined;
  #done = 0;
  #shownAt = Number.NEGATIVE_INFINITY;
  #shownTenth = 0;

  constructor(output: ProgressOutput, env: Readonly<Record<string, string | undefined>>) {
    this.#output = output;
    this.#live = output.isTTY === true && env.TERM !== "dumb";
    this.#color = this.#live && !env.NO_COLOR;
  }

  /** Starts a phase of `total` units, or of nobody knows how many. */
  begin(phase: string, total: number | undefined): void {
    this.#phase = phase;
    this.#total = total;
    this.#done = 0;
    this.#shownTenth = 0;
    this.#shownAt = this.#live ? Number.NEGATIVE_INFINITY : performance.now();
  }

  advance(units: number): void {
    this.to(this.#done + units);
  }

  to(done: number): void {
    this.#done = done;
    const now = performance.now();
    if (now - this.#shownAt < (this.#live ? REDRAW_MS : LINE_MS)) return;
    const tenth = Math.floor(this.#share() * 10);
    if (!this.#live && this.#total !== undefined && tenth <= this.#shownTenth) return;
    this.#shownAt = now;
    this.#shownTenth = tenth;
    if (this.#live) this.#output.write(`\r\x1b[2K${this.#bar()}`);
    else this.#output.write(`${this.#phase}: ${this.#amount()}\n`);
  }

  /** A line that stays. */
  note(line: string): void {
    this.clear();
    this.#output.write(`${line}\n`);
    this.#shownAt = Number.NEGATIVE_INFINITY;
  }

  /** Takes the bar off the terminal. */
  clear(): void {
    if (this.#live) this.#output.write("\r\x1b[2K");
  }

  #share(): number {
    return this.#total ? Math.min(1, this.#done / this.#total) : 0;
  }

  #amount(): string {
    return this.#total === undefined ? String(this.#done) : `${Math.floor(this.#share() * 100)}%`;
  }

  #bar(): string {
    const room = (this.#output.columns ?? 80) - 1;
    const full = Math.round(this.#share() * BAR_CELLS);
    const tail = ` ${this.#amount().padStart(4)} ${this.#phase}`;
    if (this.#total === undefined || room < BAR_CELLS + tail.length) return tail.trim().slice(0, Math.max(0, room));
    const [done, rest] = ["█".repeat(full), "░".repeat(BAR_CELLS - full)];
    return `${this.#color ? `\x1b[36m${done}\x1b[2m${rest}\x1b[0m` : done + rest}${tail}`;
  }
}
