import { M, S } from "./program-counters.js";
import { MAIN, type Scenario, SENDER_A, SENDER_B } from "./scenario.js";
import {
  ACCEPTED,
  CELL_WORDS,
  CELLS,
  DEAD_LETTERS,
  FINISHED,
  HEAD,
  KIND_NONE,
  PCS,
  R_KIND,
  RUNS,
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
  /**
   * It neither shows in another process's steps nor depends on one, so it may be taken at once: whatever the
   * others do before it, they can as well do after it. (The process may still die before it.)
   */
  readonly alone?: boolean;
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
  "two senders are inside the lock",
  "a record is written over one that is not finished with",
  "a torn record is read",
  "a message is handled again",
  "the messages of one sender are handled out of order",
  "the seq of a record does not follow its predecessor's",
  "the recount leaves the published records",
  "a message becomes a dead letter that was not in flight, or becomes one again",
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

  /** Counters start just below their overflow, so that every run lives through it. */
  get firstPosition(): number {
    return this.scenario.positions - this.scenario.ringUnits;
  }

  get firstSeq(): number {
    return this.scenario.seqs - 1;
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
   * The records from `from` to `to` are finished with. Nobody may read their units any more, so they are cleared:
   * states that differ in nothing else are one. Not while somebody rightly may: main in its recount, and a writer
   * in `#look`; they clear them afterwards.
   */
  finish(s: State, from: number, to: number): void {
    const main = s[PCS[MAIN]];
    if (main >= M.recountTail && main <= M.recountStore) return;
    if (s[PCS[SENDER_A]] === S.lookSeq || s[PCS[SENDER_B]] === S.lookSeq) return;
    this.#clear(s, from, to);
  }

  /** Clears all units that are not published. Whoever calls this has the lock to himself. */
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
      if (s[RUNS + later] + s[DEAD_LETTERS + later] !== 0) violate(s, OUT_OF_ORDER);
    }
  }

  becomesDeadLetter(s: State, message: number): void {
    if (s[DEAD_LETTERS + message] !== 0 || s[ACCEPTED + message] === 0) violate(s, WRONG_DEAD_LETTER);
    s[DEAD_LETTERS + message] = 1;
    s[RUNS + message] = 0;
  }
}

function signed(difference: number, range: number): number {
  const d = (difference + range) % range;
  return d >= range / 2 ? d - range : d;
}
