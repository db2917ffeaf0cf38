import { MAX_UID } from "@mini-otp/worker-host/protocol/memory";

/**
 * Numbers of processes. They go round at the last one that a slot's identity has bits for, and pass over those that
 * are in use: so two that live never share one, however many have been before.
 */
export class Uids {
  readonly #taken = new Set<number>();
  #last: number;

  constructor(last = 0) {
    this.#last = last;
  }

  /** A number that is not in use; from now on it is. */
  take(): number {
    // Ends: far fewer processes fit into memory than there are numbers.
    do this.#last = this.#last >= MAX_UID ? 1 : this.#last + 1;
    while (this.#taken.has(this.#last));
    this.#taken.add(this.#last);
    return this.#last;
  }

  free(uid: number): void {
    this.#taken.delete(uid);
  }

  /** The next one that is taken comes after `uid`. */
  goOnFrom(uid: number): void {
    this.#last = uid;
  }
}

/** One count for all systems of the process: a reference to an actor of another system finds no actor, rather than the wrong one. */
export const uids = new Uids();
