import type { Carrier } from "../protocol/calls/telemetry.js";
import { Numbered } from "./numbered.js";
import type { SavedTimer } from "./snapshot.js";

/** A message that an actor sends to itself later. */
export interface Timer {
  readonly id: number;
  readonly method: string;
  readonly args: unknown[];
  readonly carrier: Carrier | undefined;
  /** 0 for a timer that fires once. */
  readonly everyMs: number;
  /** Its place in the heap. */
  place: number;
}

/**
 * How many children a node of the heap has, side by side: with four, a heap of 100 000 is 9 levels deep instead of 17.
 */
const BRANCHES = 4;

/**
 * An actor's `sendAfter` and `sendInterval` timers, earliest first; among timers due at the same time the oldest comes
 * first. Times are milliseconds of the actor's clock. To add or to cancel a timer takes as many steps as the heap is
 * deep.
 */
export class Timers {
  readonly #heap: Timer[] = [];
  /**
   * When each timer of the heap is due, at the same place: so ordering the heap touches no timers scattered in memory.
   */
  readonly #dues: number[] = [];
  readonly #byId = new Numbered<Timer>();
  #nextId = 1;

  get nextDue(): number {
    return this.#dues.length === 0 ? Infinity : this.#dues[0];
  }

  add(now: number, delayMs: number, everyMs: number, method: string, args: unknown[], carrier?: Carrier): number {
    const id = this.#nextId++;
    this.#insert({ id, method, args, carrier, everyMs, place: 0 }, now + delayMs);
    return id;
  }

  /** True when the timer had still to fire; false for a value that is no timer's number. */
  cancel(id: number): boolean {
    if (typeof id !== "number") return false;
    const timer = this.#byId.get(id);
    if (timer === undefined) return false;
    this.#remove(timer);
    return true;
  }

  /** All timers, in a form that a thread with another clock can take. */
  save(now: number): { readonly timers: SavedTimer[]; readonly lastTimer: number } {
    const timers = this.#heap.map(({ id, method, args, carrier, everyMs }, place) => ({
      id,
      method,
      args,
      carrier,
      everyMs,
      inMs: this.#dues[place] - now,
    }));
    return { timers, lastTimer: this.#nextId - 1 };
  }

  restore(now: number, timers: readonly SavedTimer[], lastTimer: number): void {
    this.#nextId = lastTimer + 1;
    for (const { inMs, carrier, ...timer } of timers) this.#insert({ ...timer, carrier, place: 0 }, now + inMs);
  }

  /**
   * The earliest timer that is due. An interval stays, and is due again a whole number of periods later, after `now`:
   * it does not catch up.
   */
  takeDue(now: number): Timer | undefined {
    const timer = this.#heap[0];
    if (timer === undefined || this.#dues[0] > now) return undefined;
    if (timer.everyMs === 0) {
      this.#remove(timer);
    } else {
      const due = this.#dues[0];
      this.#down(timer, due + Math.max(1, Math.ceil((now - due) / timer.everyMs)) * timer.everyMs, 0);
    }
    return timer;
  }

  #insert(timer: Timer, due: number): void {
    this.#byId.set(timer.id, timer);
    this.#heap.push(timer);
    this.#dues.push(due);
    this.#up(timer, due, this.#heap.length - 1);
  }

  #remove({ id, place }: Timer): void {
    this.#byId.delete(id);
    const last = this.#heap.pop() as Timer;
    const due = this.#dues.pop() as number;
    if (last.id === id) return;
    this.#up(last, due, place);
    this.#down(last, due, last.place);
  }

  /** Puts `timer` at `from`, or above it. */
  #up(timer: Timer, due: number, from: number): void {
    let index = from;
    while (index > 0) {
      const parent = Math.floor((index - 1) / BRANCHES);
      if (!this.#precedes(timer, due, parent)) break;
      this.#put(this.#heap[parent], this.#dues[parent], index);
      index = parent;
    }
    this.#put(timer, due, index);
  }

  /** Puts `timer` at `from`, or below it. */
  #down(timer: Timer, due: number, from: number): void {
    const heap = this.#heap;
    const dues = this.#dues;
    let index = from;
    for (;;) {
      let first = BRANCHES * index + 1;
      if (first >= heap.length) break;
      const end = Math.min(first + BRANCHES, heap.length);
      for (let child = first + 1; child < end; child++) {
        if (this.#precedes(heap[child], dues[child], first)) first = child;
      }
      if (this.#precedes(timer, due, first)) break;
      this.#put(heap[first], dues[first], index);
      index = first;
    }
    this.#put(timer, due, index);
  }

  #put(timer: Timer, due: number, place: number): void {
    this.#heap[place] = timer;
    this.#dues[place] = due;
    timer.place = place;
  }

  #precedes(timer: Timer, due: number, place: number): boolean {
    const other = this.#dues[place];
    return due < other || (due === other && timer.id < this.#heap[place].id);
  }
}
