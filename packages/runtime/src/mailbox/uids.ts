import { MAX_UID } from "@mini-otp/worker-host/protocol/memory";

/**
 * Numbers of processes. They start again at 1 after the last one that a slot's identity has bits for, and skip numbers
 * in use, so two live processes never share one.
 */
export class Uids {
  readonly #taken = new Set<number>();
  #last: number;

  constructor(last = 0) {
    this.#last = last;
  }

  /** Takes a number that is not in use. */
  take(): number {
    // Ends, because far fewer processes fit into memory than there are numbers.
    do this.#last = this.#last >= MAX_UID ? 1 : this.#last + 1;
    while (this.#taken.has(this.#last));
    this.#taken.add(this.#last);
    return this.#last;
  }

  free(uid: number): void {
    this.#taken.delete(uid);
  }

  /** The next number taken comes after `uid`. */
  goOnFrom(uid: number): void {
    this.#last = uid;
  }
}

/**
 * One count for all systems of the process, so that a reference from another system finds no actor, not a wrong one.
 */
export const uids = new Uids();
