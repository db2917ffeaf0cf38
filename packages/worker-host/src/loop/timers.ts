import type { SavedTimer } from "./snapshot.js";

/** A message an actor has asked to get later. */
export interface Timer {
  readonly id: number;
  readonly method: string;
  readonly args: unknown[];
  /** 0 for a timer that fires once. */
  readonly everyMs: number;
  due: number;
}

/** An actor's `sendAfter` and `sendInterval` timers, earliest first. Times are `performance.now` milliseconds. */
export class Timers {
  readonly #heap: Timer[] = [];
  #nextId = 1;

  get nextDue(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0].due;
  }

  add(now: number, delayMs: number, everyMs: number, method: string, args: unknown[]): number {
    const timer: Timer = { id: this.#nextId++, method, args, everyMs, due: now + delayMs };
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
    return timer.id;
  }

  /** True when the timer was still to fire. */
  cancel(id: number): boolean {
    const index = this.#heap.findIndex((timer) => timer.id === id);
    if (index === -1) return false;
    this.#remove(index);
    return true;
  }

  /** All timers, as they can be carried to a thread with another clock. */
  save(now: number): { readonly timers: SavedTimer[]; readonly lastTimer: number } {
    const timers = this.#heap.map(({ id, method, args, everyMs, due }) => ({
      id,
      method,
      args,
      everyMs,
      inMs: due - now,
    }));
    return { timers, lastTimer: this.#nextId - 1 };
  }

  restore(now: number, timers: readonly SavedTimer[], lastTimer: number): void {
    this.#nextId = lastTimer + 1;
    for (const { inMs, ...timer } of timers) {
      this.#heap.push({ ...timer, due: now + inMs });
      this.#up(this.#heap.length - 1);
    }
  }

  /** The earliest timer that is due. An interval stays, due again in whole periods after now: it does not catch up. */
  takeDue(now: number): Timer | undefined {
    const timer = this.#heap[0];
    if (timer === undefined || timer.due > now) return undefined;
    if (timer.everyMs === 0) {
      this.#remove(0);
    } else {
      timer.due += Math.max(1, Math.ceil((now - timer.due) / timer.everyMs)) * timer.everyMs;
      this.#down(0);
    }
    return timer;
  }

  #remove(index: number): void {
    const last = this.#heap.pop() as Timer;
    if (index === this.#heap.length) return;
    this.#heap[index] = last;
    this.#up(index);
    this.#down(index);
  }

  #up(from: number): void {
    const heap = this.#heap;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (before(heap[parent], heap[index])) return;
      [heap[parent], heap[index]] = [heap[index], heap[parent]];
      index = parent;
    }
  }

  #down(from: number): void {
    const heap = this.#heap;
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let first = index;
      if (left < heap.length && before(heap[left], heap[first])) first = left;
      if (right < heap.length && before(heap[right], heap[first])) first = right;
      if (first === index) return;
      [heap[first], heap[index]] = [heap[index], heap[first]];
      index = first;
    }
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.id < b.id);
}
