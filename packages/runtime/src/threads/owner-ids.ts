/** A lock that main holds contains this. */
export const MAIN_OWNER_ID = 1;
const FIRST_OWNER_ID = MAIN_OWNER_ID + 1;
const MAX_OWNER_ID = 2 ** 31 - 1;

/** Gives each thread the number that a lock contains while the thread holds it. */
export class OwnerIds {
  readonly #isTaken: (ownerId: number) => boolean;
  #last: number;
  #wentRound = false;

  constructor(isTaken: (ownerId: number) => boolean, last = MAIN_OWNER_ID) {
    this.#isTaken = isTaken;
    this.#last = last;
  }

  /** A lock is an int32: beyond the largest, numbers begin again with the first that no living thread has. */
  next(): number {
    do {
      this.#wentRound ||= this.#last >= MAX_OWNER_ID;
      this.#last = this.#last >= MAX_OWNER_ID ? FIRST_OWNER_ID : this.#last + 1;
    } while (this.#wentRound && this.#isTaken(this.#last));
    return this.#last;
  }
}
