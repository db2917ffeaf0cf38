import { performance } from "node:perf_hooks";
import { type Timer, Timers } from "../loop/timers.js";
import type { Cell } from "./cell.js";
import type { Line } from "./line.js";
import type { Mailboxes } from "./mailboxes.js";

interface Timed {
  readonly cell: Cell;
  /** Its message is on its way. */
  waits: boolean;
  isCancelled: boolean;
}

/** The timers of all members, in one heap. */
export class MemberTimers {
  readonly #mailboxes: Mailboxes;
  readonly #line: Line;
  readonly #timers = new Timers();
  readonly #targets = new Map<number, Timed>();

  constructor(mailboxes: Mailboxes, line: Line) {
    this.#mailboxes = mailboxes;
    this.#line = line;
  }

  get nextDue(): number {
    return this.#timers.nextDue;
  }

  add(cell: Cell, delayMs: number, everyMs: number, method: string, args: unknown[]): number {
    const id = this.#timers.add(performance.now(), delayMs, everyMs, method, args);
    const timed: Timed = { cell, waits: false, isCancelled: false };
    this.#targets.set(id, timed);
    cell.more.timers.set(id, () => {
      timed.isCancelled = true;
      this.#targets.delete(id);
      this.#timers.cancel(id);
    });
    this.#line.schedule();
    return id;
  }

  /** Puts the messages of those that are due into their members' hands. */
  takeDue(): void {
    if (this.#timers.nextDue === Infinity) return;
    const now = performance.now();
    for (let timer = this.#timers.takeDue(now); timer !== undefined; timer = this.#timers.takeDue(now)) {
      this.#due(timer);
    }
  }

  #due(timer: Timer): void {
    const timed = this.#targets.get(timer.id);
    if (timed === undefined) return;
    const { cell } = timed;
    if (timer.everyMs === 0) {
      this.#targets.delete(timer.id);
      cell.extras?.timers.delete(timer.id);
    }
    // A period that its actor has not come to is skipped.
    if (timed.waits) return;
    timed.waits = true;
    this.#mailboxes.putOwn(cell, {
      method: timer.method,
      args: timer.args,
      taken: () => {
        timed.waits = false;
        return !timed.isCancelled;
      },
    });
  }
}
