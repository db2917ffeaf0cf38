import {
  blockTimeoutOf,
  CELL_ACCEPTED,
  CELL_ACCEPTED_HERE,
  CELL_BYTES,
  CELL_CAPACITY,
  CELL_CAPACITY_BYTES,
  CELL_DROPPED,
  CELL_IDENTITY,
  CELL_POLICY,
  CELL_SPACE,
  CELL_TAKEN,
  CELL_WORDS,
  overflowOf,
  TABLE_MOST_BYTES,
  TABLE_QUEUED_BYTES,
} from "../memory/cells.js";
import { type OverflowPolicy, STATE_OPEN } from "../memory/slot-descriptor.js";
import type { Payload } from "../ring/payload.js";
import { CLOSED, FULL, PUSHED, type RingWriter } from "../ring/ring-writer.js";
import type { CallsTo } from "./calls-to.js";
import type { MemberLine, MemberTarget, Peer, Unsent } from "./peer.js";
import type { PendingCall } from "./pending-calls.js";
import { Queue } from "./queue.js";

const GENERATIONS = 2 ** 20;

export function memberTarget(cell: number, generation: number): MemberTarget {
  return generation * GENERATIONS + cell;
}

export function cellOfTarget(target: number): number {
  return target % GENERATIONS;
}

export function generationOfTarget(target: number): number {
  return Math.floor(target / GENERATIONS);
}

const NO_LINE = new Queue<Unsent>();

/**
 * The connection of one thread to one light actor of another thread: the partition's ring and system lane, and a count
 * of the cell's own. There may be one for each of a hundred thousand actors, so it holds little.
 */
export class MemberPeer implements Peer, MemberLine {
  readonly id: string;
  readonly address: number;
  readonly member: MemberLine = this;
  readonly leavesWith = 0;
  readonly target: MemberTarget;
  readonly #partition: Peer;
  readonly #table: Int32Array;
  /** The cell's first word; 0 for a member that is meant by its id, whose partition finds it. */
  readonly #at: number;
  readonly #open: number;
  #line: Queue<Unsent> | undefined;

  constructor(id: string, address: number, cell: number, generation: number, table: Int32Array, partition: Peer) {
    this.id = id;
    this.address = address;
    this.#partition = partition;
    this.#table = table;
    this.#at = cell * CELL_WORDS;
    this.#open = (generation << 2) | STATE_OPEN;
    this.target = cell === 0 ? id : memberTarget(cell, generation);
  }

  /** The partition's: calls are counted and settled by thread. */
  get uid(): number {
    return this.#partition.uid;
  }

  get words(): Int32Array {
    return this.#partition.words;
  }

  get mailbox(): RingWriter {
    return this.#partition.mailbox;
  }

  get system(): RingWriter {
    return this.#partition.system;
  }

  get overflow(): OverflowPolicy {
    return this.#at === 0 ? "block" : overflowOf(this.#table[this.#at + CELL_POLICY]);
  }

  get blockTimeoutMs(): number {
    return this.#at === 0 ? this.#partition.blockTimeoutMs : blockTimeoutOf(this.#table[this.#at + CELL_POLICY]);
  }

  get unsent(): Queue<Unsent> {
    return this.#line ?? NO_LINE;
  }

  get knownAsCaller(): boolean {
    return this.#partition.knownAsCaller;
  }

  set knownAsCaller(known: boolean) {
    this.#partition.knownAsCaller = known;
  }

  get calls(): CallsTo<PendingCall> | undefined {
    return this.#partition.calls;
  }

  set calls(calls: CallsTo<PendingCall> | undefined) {
    this.#partition.calls = calls;
  }

  countDropped(): void {
    if (this.#at !== 0) Atomics.add(this.#table, this.#at + CELL_DROPPED, 1);
  }

  openLine(): void {
    this.#line ??= new Queue();
  }

  push(kind: number, method: number, correlation: number, address: number, uid: number, payload: Payload): number {
    const table = this.#table;
    const at = this.#at;
    const { mailbox } = this.#partition;
    if (at === 0) return mailbox.push(kind, method, correlation, address, uid, payload);
    const bytes = payload.length;
    const outcome = takeRoom(table, at, this.#open, bytes);
    if (outcome !== PUSHED) return outcome;
    const pushed = mailbox.push(kind, method, correlation, address, uid, payload);
    if (pushed !== PUSHED) {
      Atomics.sub(table, at + CELL_ACCEPTED, 1);
      Atomics.sub(table, at + CELL_BYTES, bytes);
    }
    return pushed;
  }

  get table(): Int32Array {
    return this.#table;
  }

  get space(): number {
    return this.#at + CELL_SPACE;
  }

  get capacity(): number {
    return this.#table[this.#at + CELL_CAPACITY];
  }

  get capacityBytes(): number {
    return this.#table[this.#at + CELL_CAPACITY_BYTES];
  }
}

/** Counts a message from another thread into a cell: PUSHED, or FULL or CLOSED and nothing was counted. */
function takeRoom(table: Int32Array, at: number, open: number, bytes: number): number {
  if (Atomics.load(table, at + CELL_IDENTITY) !== open) return CLOSED;
  const accepted = Atomics.add(table, at + CELL_ACCEPTED, 1) + Atomics.load(table, at + CELL_ACCEPTED_HERE);
  const length = (accepted - Atomics.load(table, at + CELL_TAKEN)) | 0;
  const bytesBefore = Atomics.add(table, at + CELL_BYTES, bytes);
  // Under drop_oldest the partition makes room.
  const isFull =
    (table[at + CELL_POLICY] & 3) !== 3 &&
    (length >= table[at + CELL_CAPACITY] || (length > 0 && bytesBefore + bytes > table[at + CELL_CAPACITY_BYTES]));
  if (!isFull && table[TABLE_QUEUED_BYTES] < table[TABLE_MOST_BYTES]) return PUSHED;
  Atomics.sub(table, at + CELL_ACCEPTED, 1);
  Atomics.sub(table, at + CELL_BYTES, bytes);
  return FULL;
}

/** The same for a message of the partition's own thread, which can be ended at its beginning only. */
export function takeRoomHere(table: Int32Array, at: number, open: number, bytes: number): number {
  // Only this thread and, after its end, main close a cell.
  if (table[at + CELL_IDENTITY] !== open) return CLOSED;
  const here = table[at + CELL_ACCEPTED_HERE];
  // Before the atomic addition, and what others have accepted is read after it: two that take the last room see each other.
  table[at + CELL_ACCEPTED_HERE] = here + 1;
  const bytesBefore = Atomics.add(table, at + CELL_BYTES, bytes);
  const length = (table[at + CELL_ACCEPTED] + here - table[at + CELL_TAKEN]) | 0;
  const isFull =
    (table[at + CELL_POLICY] & 3) !== 3 &&
    (length >= table[at + CELL_CAPACITY] || (length > 0 && bytesBefore + bytes > table[at + CELL_CAPACITY_BYTES]));
  if (!isFull && table[TABLE_QUEUED_BYTES] < table[TABLE_MOST_BYTES]) return PUSHED;
  table[at + CELL_ACCEPTED_HERE] = here;
  Atomics.sub(table, at + CELL_BYTES, bytes);
  return FULL;
}
