import type { Caller } from "./cell.js";

const MAX_CANCELLED = 1024;

/** Calls of other threads that their callers gave up before their turn came. */
export class CancelledCalls {
  readonly #calls = new Set<string>();

  add(callerUid: number, correlation: number): void {
    if (this.#calls.size >= MAX_CANCELLED) this.#calls.clear();
    this.#calls.add(`${callerUid}:${correlation}`);
  }

  /** True once for such a call. */
  take(caller: Caller): boolean {
    if (this.#calls.size === 0) return false;
    const { uid, correlation } = caller as Caller & { uid?: number; correlation?: number };
    return uid !== undefined && this.#calls.delete(`${uid}:${correlation}`);
  }
}
