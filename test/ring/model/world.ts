import { C, M, S } from "./program-counters.js";
import { CONSUMER, MAIN, type Scenario, SENDER_A, SENDER_B } from "./scenario.js";
import {
  ACCEPTED,
  CELL_WORDS,
  CELLS,
  CLAIMED_SEQ,
  CURSOR,
  DEAD_LETTERS,
  FINISHED,
  HANDLED_SEQ,
  HEAD,
  IN_FLIGHT,
  KIND_NONE,
  LOCK,
  NEXT_SEQ,
  PARKED,
  PCS,
  R_KIND,
  ROOM_HEAD,
  ROOM_SEQ,
  RUNS,
  SPACE,
  type State,
  TAIL,
  VIOLATION,
} from "./words.js";

/** One step of a program: at most one atomic operation, or a group of plain reads and writes between two of them. */
export interface Step {
  /** Function and operation as in the source. */
  readonly text: string;
  /** The step waits until this holds. Without it, it never waits. */
  readonly when?: (s: State, me: number) => boolean;
  /** Takes the step; returns the program counter after it. `me` is where the process's own words begin. */
  readonly run: (s: State, me: number) => number;
}

/** A program by program counter. */
export type Program = Readonly<Record<number, Step>>;

/** The exit of this process has not been processed yet; the same program counter for all. */
export const EXITED = 0;

/** What must never happen, by number. */
export const VIOLATIONS = [
  "",
  "two threads are inside the lock",
  "a record is written over one that is not finished with",
  "a torn record is read",
  "a message is handled again",
  "the messages of one sender are handled out of order",
  "the seq of a record does not follow its predecessor's",
  "the recount leaves the published records",
  "a message becomes a dead letter that was not in flight, was handled, or is one already",
  "a message is handled although its caller was told that it will not be answered",
  "a thread writes to a mailbox that belongs to another actor",
] as const;
export const TWO_INSIDE = 1;
export const OVERWRITTEN = 2;
export const TORN = 3;
export const HANDLED_AGAIN = 4;
export const OUT_OF_ORDER = 5;
export const WRONG_SEQ = 6;
export const WRONG_RECOUNT = 7;
export const WRONG_DEAD_LETTER = 8;
export const TOLD_DEAD = 9;
export const NOT_ITS_ACTOR = 10;

export function violate(s: State, violation: number): void {
  if (s[VIOLATION] === 0) s[VIOLATION] = violation;
}

/** The arithmetic of a scenario: free-running counters, and places in the ring. */
export class World {
  readonly scenario: Scenario;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
  }

  /** Writers of one ring share what they know of the room in it. */
  get sharedRoom(): boolean {
    return this.scenario.protocol.roomSeen === "in the ring, under the lock";
  }

  /** Where a sending thread begins. */
  get senderStart(): number {
    return this.sharedRoom ? S.lock : S.newWriter;
  }

  /** The message in flight is decided on before the locks of its dead consumer are freed. */
  get recoversFirst(): boolean {
    return this.scenario.protocol.recovers === "before the locks are free";
  }

  get dropsOldest(): boolean {
    return this.scenario.overflow === "drop_oldest";
  }

  /** Unique among all threads ever started, as are the threads of a process by their number. */
  ownerId(process: number, thread: number): number {
    return 1 + process + MAIN * thread;
  }

  /** `acquire` of ring-lock.ts, once the lock is free. */
  acquire(s: State, process: number, thread: number): void {
    for (const sender of [SENDER_A, SENDER_B]) {
      if (s[PCS[sender]] >= S.identity && s[PCS[sender]] <= S.unlock) violate(s, TWO_INSIDE);
    }
    if (s[PCS[CONSUMER]] >= C.claimTail && s[PCS[CONSUMER]] <= C.unlock) violate(s, TWO_INSIDE);
    s[LOCK] = this.ownerId(process, thread);
  }

  /** Counters start just below their overflow, so that every run lives through it. */
  get firstPosition(): number {
    return this.scenario.positions - this.scenario.ringUnits;
  }

  get firstSeq(): number {
    return this.scenario.seqs - 1;
  }

  /** `formatSlot`, but for the identity. */
  format(s: State): void {
    s[TAIL] = s[HEAD] = s[CURSOR] = this.firstPosition;
    s[NEXT_SEQ] = s[HANDLED_SEQ] = this.firstSeq;
    s[SPACE] = s[PARKED] = s[IN_FLIGHT] = 0;
    if (this.dropsOldest) s[CLAIMED_SEQ] = this.firstSeq;
    if (!this.sharedRoom) return;
    s[ROOM_HEAD] = this.firstPosition;
    // As if full: the first push looks.
    s[ROOM_SEQ] = this.seqAfter(this.firstSeq, -this.scenario.capacity);
  }

  /** `(position + units) | 0` */
  after(position: number, units: number): number {
    return (position + units) % this.scenario.positions;
  }

  /** `(a − b) | 0` of two positions: negative from half the range on. */
  between(a: number, b: number): number {
    return signed(a - b, this.scenario.positions);
  }

  /** `(seq + count) | 0` */
  seqAfter(seq: number, count: number): number {
    return (seq + count + this.scenario.seqs) % this.scenario.seqs;
  }

  /** `(a − b) | 0` of two seqs. */
  seqBetween(a: number, b: number): number {
    return signed(a - b, this.scenario.seqs);
  }

  /** Where the unit at a position lives. */
  cell(position: number): number {
    return CELLS[position % this.scenario.ringUnits];
  }

  unitsToEnd(position: number): number {
    return this.scenario.ringUnits - (position % this.scenario.ringUnits);
  }

  /** Units a record takes with the padding before it. */
  needed(tail: number, span: number): number {
    const toEnd = this.unitsToEnd(tail);
    return span <= toEnd ? span : span + toEnd;
  }

  message(sender: number, index: number): number {
    return 1 + (sender === 0 ? 0 : this.scenario.messages[0]) + index;
  }

  senderOf(message: number): number {
    return message <= this.scenario.messages[0] ? 0 : 1;
  }

  get allMessages(): number {
    return this.scenario.messages[0] + this.scenario.messages[1];
  }

  /** True of a position that belongs to a published record which the consumer has not finished with. */
  published(s: State, position: number): boolean {
    const { positions } = this.scenario;
    return (position - s[HEAD] + positions) % positions < (s[TAIL] - s[HEAD] + positions) % positions;
  }

  /**
   * The records from `from` to `to` are finished with. No process may read their units any more, so they are cleared:
   * states that differ in nothing else are one. Not while somebody may: main, which reads records without the lock,
   * and a writer in `#look`.
   */
  finish(s: State, from: number, to: number): void {
    const main = s[PCS[MAIN]];
    if (main >= M.recountTail && main <= M.toldRecord) return;
    if (s[PCS[SENDER_A]] === S.lookSeq || s[PCS[SENDER_B]] === S.lookSeq) return;
    this.#clear(s, from, to);
  }

  /** Clears all units that are not published. The caller holds the lock. */
  clearUnpublished(s: State): void {
    this.#clear(s, s[TAIL], this.after(s[HEAD], this.scenario.ringUnits));
  }

  #clear(s: State, from: number, to: number): void {
    for (let position = from; position !== to; position = this.after(position, 1)) {
      const at = this.cell(position);
      s.fill(KIND_NONE, at + R_KIND, at + CELL_WORDS);
    }
  }

  /** Judges the start of a message's handler. */
  handles(s: State, message: number): void {
    const { messages, maxDeliveries } = this.scenario;
    if (s[ACCEPTED + message] === 0) violate(s, TORN);
    if (s[RUNS + message] >= maxDeliveries || s[DEAD_LETTERS + message] !== 0) violate(s, HANDLED_AGAIN);
    s[RUNS + message] = Math.min(s[RUNS + message] + 1, FINISHED);
    const lastOfSender = this.senderOf(message) === 0 ? messages[0] : this.allMessages;
    for (let later = message + 1; later <= lastOfSender; later++) {
      // What is dropped may be dropped while its predecessor is in flight.
      const overtaken = s[RUNS + later] !== 0 || (s[DEAD_LETTERS + later] !== 0 && !this.dropsOldest);
      if (overtaken) violate(s, OUT_OF_ORDER);
    }
  }

  becomesDeadLetter(s: State, message: number): void {
    const over = s[DEAD_LETTERS + message] !== 0 || s[RUNS + message] === FINISHED;
    if (over || s[ACCEPTED + message] === 0) violate(s, WRONG_DEAD_LETTER);
    s[DEAD_LETTERS + message] = 1;
    s[RUNS + message] = 0;
  }
}

function signed(difference: number, range: number): number {
  const d = (difference + range) % range;
  return d >= range / 2 ? d - range : d;
}
