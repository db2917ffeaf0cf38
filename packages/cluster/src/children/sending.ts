/*
 * What one node sends to something that moves: the order of its messages over owners, refusals and lost connections, without
 * I/O. Messages go in runs: each message of a run has the next number, and a door takes a run's messages only in the order of
 * their numbers. So what comes after one that was refused is refused too, and goes again after it, in another run. A run ends
 * with its first message that was not taken; the next begins when what became of all its messages is known.
 */

/** How many are under way at most, and their bytes. A call counts until it is answered. */
export const WINDOW = 4096;
const WINDOW_BYTES = 16 * 1024 * 1024;

export interface Sent<M> {
  readonly message: M;
  /** Of its arrival here. */
  readonly order: number;
  readonly run: number;
  readonly number: number;
}

interface Run {
  readonly number: number;
  /** Which tenure of which owner it goes to. */
  readonly generation: string;
  last: number;
  /** Up to here the door has taken them, as a refusal has said. */
  taken: number;
  isOver: boolean;
}

/** Refused: by a door that has taken the run's messages up to `taken`. `isClosed`: this tenure takes nothing any more. */
export interface Refusal {
  readonly taken: number;
  readonly isClosed: boolean;
}

export class Sending<M> {
  readonly #held: { readonly message: M; readonly order: number }[] = [];
  readonly #underWay = new Set<Sent<M>>();
  readonly #sizeOf: (message: M) => number;
  #bytes = 0;
  #run: Run | undefined;
  #lastRun = 0;
  #lastOrder = 0;
  /** The tenure that has said that it takes nothing any more. */
  #closed: string | undefined;

  constructor(sizeOf: (message: M) => number) {
    this.#sizeOf = sizeOf;
  }

  get held(): number {
    return this.#held.length;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Whether a message that comes now would go at once. */
  hasRoom(generation: string | undefined): boolean {
    const isFull = this.#underWay.size >= WINDOW || this.#bytes >= WINDOW_BYTES;
    return this.#held.length === 0 && !isFull && this.#mayGo(generation);
  }

  /** It goes after all that came before. */
  add(message: M): void {
    this.#held.push({ message, order: ++this.#lastOrder });
  }

  /** Takes out those that wait and are not wanted any more. */
  drop(isUnwanted: (message: M) => boolean): void {
    for (let i = this.#held.length - 1; i >= 0; i--) if (isUnwanted(this.#held[i].message)) this.#held.splice(i, 1);
  }

  /** What goes now, to the tenure `generation`; undefined while nothing may go. */
  next(generation: string | undefined): Sent<M> | undefined {
    if (generation === undefined || this.#held.length === 0 || !this.#mayGo(generation)) return undefined;
    if (this.#run === undefined || this.#run.isOver || this.#run.generation !== generation) {
      this.#run = { number: ++this.#lastRun, generation, last: 0, taken: 0, isOver: false };
    }
    const { message, order } = this.#held.shift() as { message: M; order: number };
    const sent = { message, order, run: this.#run.number, number: ++this.#run.last };
    this.#underWay.add(sent);
    this.#bytes += this.#sizeOf(message);
    return sent;
  }

  /** It was taken, and is answered if it was a call; or it is lost, and may have been handled. */
  settled(sent: Sent<M>, isLost = false): void {
    this.#arrived(sent);
    if (isLost && sent.run === this.#run?.number) this.#run.isOver = true;
  }

  /** It was certainly not taken: it goes again, in its place. */
  refused(sent: Sent<M>, refusal?: Refusal): void {
    this.#arrived(sent);
    const { message, order } = sent;
    const at = this.#held.findIndex((held) => held.order > order);
    this.#held.splice(at === -1 ? this.#held.length : at, 0, { message, order });
    const run = this.#run;
    if (run?.number !== sent.run) return;
    run.isOver = true;
    run.taken = Math.max(run.taken, refusal?.taken ?? 0);
    if (refusal?.isClosed === true) this.#closed = run.generation;
  }

  #arrived(sent: Sent<M>): void {
    if (this.#underWay.delete(sent)) this.#bytes -= this.#sizeOf(sent.message);
  }

  /** All that waits, which is given away. */
  takeHeld(): M[] {
    return this.#held.splice(0).map(({ message }) => message);
  }

  #mayGo(generation: string | undefined): boolean {
    if (generation === undefined || generation === this.#closed) return false;
    const run = this.#run;
    if (run === undefined || (!run.isOver && run.generation === generation)) return true;
    // One that may yet be refused would come after what goes now.
    for (const sent of this.#underWay) if (sent.run === run.number && sent.number > run.taken) return false;
    return true;
  }
}
