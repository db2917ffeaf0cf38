import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import {
  CELL_IDENTITY,
  CELL_WORDS,
  closeTable,
  type SavedCount,
  STATE_OPEN,
  TABLE_QUEUED,
} from "@mini-otp/worker-host/protocol/memory";
import type { Inheritance, KeptMember, LastWords, MemberSpec } from "@mini-otp/worker-host/protocol/port";
import { type Codec, type Encoded, encodeForeign } from "@mini-otp/worker-host/protocol/values";

interface Kept extends Omit<KeptMember, "spec"> {
  readonly spec: number;
}

const NONE: readonly number[] = [];

/**
 * What of a partition outlives its thread: the members that are started again, and the messages that the thread has
 * written out. The next thread takes them over; until it has, they stay here.
 */
export class Survivors {
  readonly #words: Int32Array;
  readonly #members = new Map<string, Kept>();
  readonly #specs: MemberSpec[] = [];
  readonly #specNumbers = new Map<string, number>();
  #messages: Encoded[] = [];
  #saved = 0;
  readonly #counts = new Map<number, SavedCount>();
  readonly #calls = new Map<number, number[]>();
  #culprit: LastWords["culprit"];
  #heaviest: LastWords["heaviest"];
  /** Why the former thread has ended; undefined once the next one has taken over. */
  #reason: ExitReason | undefined;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** The member whose code ran, as the thread itself has said; undefined when it has not. */
  get culprit(): LastWords["culprit"] {
    return this.#culprit;
  }

  /** The member that holds too much of the partition's memory, as the thread has said. */
  get heaviest(): LastWords["heaviest"] {
    return this.#heaviest;
  }

  add({ spec, ...member }: KeptMember): void {
    const key = JSON.stringify(spec);
    let number = this.#specNumbers.get(key);
    if (number === undefined) {
      number = this.#specs.push(spec) - 1;
      this.#specNumbers.set(key, number);
    }
    this.#members.set(member.name, { ...member, spec: number });
  }

  /** The name of the member with this life; undefined for one that is not started again. */
  nameOf(number: number, of: number): string | undefined {
    for (const { name, cell, generation } of this.#members.values()) {
      if (cell === number && generation === of) return name;
    }
    return undefined;
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  delete(name: string): void {
    this.#members.delete(name);
  }

  heard({ culprit, heaviest, messages, counts, calls }: LastWords): void {
    this.#culprit ??= culprit;
    this.#heaviest ??= heaviest;
    for (const list of messages) this.#messages.push(list);
    for (const [cell, count, bytes] of counts) {
      const before = this.#counts.get(cell);
      this.#counts.set(cell, { count: count + (before?.count ?? 0), bytes: bytes + (before?.bytes ?? 0) });
      this.#saved += count;
    }
    for (const [uid, correlation] of calls) {
      const known = this.#calls.get(uid);
      if (known === undefined) this.#calls.set(uid, [correlation]);
      else known.push(correlation);
    }
  }

  /** Calls of this caller that the next thread answers although the former one had consumed them. */
  callsOf(uid: number): readonly number[] {
    return this.#calls.get(uid) ?? NONE;
  }

  /** The thread has ended. Returns how many messages of its heap are lost. */
  threadEnded(reason: ExitReason): number {
    const words = this.#words;
    const queued = words[TABLE_QUEUED];
    const isPending = this.#reason !== undefined;
    const kept = new Map<number, SavedCount>();
    for (const [name, { cell, generation }] of this.#members) {
      if (words[cell * CELL_WORDS + CELL_IDENTITY] !== ((generation << 2) | STATE_OPEN)) this.#members.delete(name);
      else kept.set(cell, this.#counts.get(cell) ?? { count: 0, bytes: 0 });
    }
    // A thread that has not taken over has nothing on its heap, and what it was to take over is counted.
    closeTable(words, kept, !isPending);
    this.#culprit = this.#heaviest = undefined;
    this.#reason = reason;
    return isPending ? 0 : Math.max(0, queued - this.#saved);
  }

  /** For the next thread. */
  inheritance(codec: Codec): Inheritance | undefined {
    if (this.#reason === undefined) return undefined;
    const members = [...this.#members.values()].map(
      ({ name, cell, generation, spec, args }) => [name, cell, generation, spec, args] as const,
    );
    return { specs: this.#specs, members, messages: this.#messages, reason: encodeForeign(codec, this.#reason) };
  }

  /** The next thread has taken over. */
  inherited(): void {
    this.#reason = undefined;
    this.#forgetWords();
  }

  /** There is no next thread: no member lives. Returns how many messages are lost with that. */
  end(): number {
    const lost = this.#saved;
    this.#reason = undefined;
    this.#members.clear();
    this.#forgetWords();
    return lost;
  }

  #forgetWords(): void {
    this.#messages = [];
    this.#saved = 0;
    this.#counts.clear();
    this.#calls.clear();
  }
}
