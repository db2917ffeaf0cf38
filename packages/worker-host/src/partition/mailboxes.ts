import { takeRoomHere } from "../protocol/calls/member-peer.js";
import {
  CELL_BYTES,
  CELL_CAPACITY,
  CELL_CAPACITY_BYTES,
  CELL_DROPPED,
  CELL_HEAP,
  CELL_HEAP_BYTES,
  CELL_POLICY,
  CELL_SPACE,
  CELL_TAKEN,
  CELL_WORDS,
  lengthIn,
  TABLE_ARRIVED,
  TABLE_QUEUED,
  TABLE_QUEUED_BYTES,
} from "../protocol/memory/cells.js";
import { ring } from "../protocol/memory/doorbell.js";
import { STATE_OPEN } from "../protocol/memory/slot-descriptor.js";
import { PUSHED } from "../protocol/ring/ring-writer.js";
import { type Caller, type Cell, ENDED, mailboxFull, type OwnWaiting, type Waiting } from "./cell.js";
import type { Line } from "./line.js";
import { nameOf, type PartitionParts } from "./parts.js";

/** Senders of this thread that wait for room. */
export interface RoomLines {
  readonly waits: boolean;
  roomIn(cell: Cell): void;
  /** They wait for its next life. */
  moved(cell: Cell, next: Cell): void;
}

/** What waits for each member on the heap, and its counts in shared memory. */
export class Mailboxes {
  readonly #parts: Pick<PartitionParts, "table" | "outbox" | "news">;
  readonly #table: Int32Array;
  readonly #line: Line;
  readonly #lines: RoomLines;

  constructor(parts: Pick<PartitionParts, "table" | "outbox" | "news">, line: Line, lines: RoomLines) {
    this.#parts = parts;
    this.#table = parts.table;
    this.#line = line;
    this.#lines = lines;
  }

  /** Accepts a message. PUSHED; FULL or CLOSED, and nothing was counted. `seq`: of its record, when it came by the ring. */
  offer(cell: Cell, waiting: Waiting, seq?: number): number {
    const table = this.#table;
    const at = cell.number * CELL_WORDS;
    const { bytes } = waiting;
    const isKept = cell.kept;
    const arrived = seq === undefined ? table[TABLE_ARRIVED] : seq + 1;
    const outcome = takeRoomHere(table, at, (cell.generation << 2) | STATE_OPEN, bytes);
    if (outcome !== PUSHED) return outcome;
    // A thread that is ended is interrupted where a function begins or a loop goes round. There is none before all these are
    // counted, so the next thread finds a message in all of them or in none.
    table[TABLE_ARRIVED] = arrived;
    table[TABLE_QUEUED]++;
    table[TABLE_QUEUED_BYTES] += bytes;
    if (isKept) {
      table[at + CELL_HEAP]++;
      table[at + CELL_HEAP_BYTES] += bytes;
    }
    this.#append(cell, waiting);
    return PUSHED;
  }

  /** A message of the ring, which its sender has counted: from now on it is on the heap. `seq` is its record's. */
  put(cell: Cell, waiting: Waiting, seq: number): void {
    this.count(cell, waiting, seq);
    this.#append(cell, waiting);
  }

  /** As `put`, but nothing handles it here any more. */
  count(cell: Cell, { bytes }: Waiting, seq: number): void {
    const table = this.#table;
    const at = cell.number * CELL_WORDS;
    // In one go, as in `offer`: when this thread ends before it has passed the record, the next one sees that it has it.
    table[TABLE_ARRIVED] = seq + 1;
    table[TABLE_QUEUED]++;
    table[TABLE_QUEUED_BYTES] += bytes;
    if (!cell.kept) return;
    table[at + CELL_HEAP]++;
    table[at + CELL_HEAP_BYTES] += bytes;
  }

  /** True for a record of the ring that the former thread has had on its heap. */
  hasArrived(seq: number): boolean {
    return this.#table[TABLE_ARRIVED] === ((seq + 1) | 0);
  }

  /** A message that the former thread had accepted, of a member whose life has not begun. */
  putBack(cell: Cell, waiting: Waiting): void {
    const table = this.#table;
    const at = cell.number * CELL_WORDS;
    table[TABLE_QUEUED]++;
    table[TABLE_QUEUED_BYTES] += waiting.bytes;
    table[at + CELL_HEAP]++;
    table[at + CELL_HEAP_BYTES] += waiting.bytes;
    this.#link(cell, waiting);
  }

  #append(cell: Cell, waiting: Waiting): void {
    this.#link(cell, waiting);
    const at = cell.number * CELL_WORDS;
    if ((this.#table[at + CELL_POLICY] & 3) === 3) this.#dropOldest(cell, at);
    this.#line.wake(cell);
  }

  #link(cell: Cell, waiting: Waiting): void {
    if (cell.last === undefined) cell.first = waiting;
    else cell.last.next = waiting;
    cell.last = waiting;
  }

  /** A message that needs no room: a timer's, a DOWN. */
  putOwn(cell: Cell, message: OwnWaiting): void {
    if (cell.phase === ENDED) return;
    cell.more.own.push(message);
    this.#line.wake(cell);
  }

  /** Takes out the oldest message. */
  take(cell: Cell): Waiting | undefined {
    const waiting = cell.first;
    if (waiting === undefined) return undefined;
    cell.first = waiting.next;
    if (waiting.next === undefined) cell.last = undefined;
    this.#taken(cell, waiting);
    return waiting;
  }

  /** What it takes before its messages: continuations first. */
  takeOwn({ extras }: Cell): OwnWaiting | undefined {
    if (extras === undefined) return undefined;
    const continuation = extras.continuations.shift();
    if (continuation !== undefined) return continuation;
    for (let own = extras.own.shift(); own !== undefined; own = extras.own.shift()) {
      if (own.taken === undefined || own.taken()) return own;
    }
    return undefined;
  }

  /** Takes the message of a call that was given up out of the line. */
  withdraw(cell: Cell, caller: Caller): void {
    let before: Waiting | undefined;
    for (let waiting = cell.first; waiting !== undefined; waiting = waiting.next) {
      if (waiting.caller !== caller) {
        before = waiting;
        continue;
      }
      if (before === undefined) cell.first = waiting.next;
      else before.next = waiting.next;
      if (cell.last === waiting) cell.last = before;
      this.#taken(cell, waiting);
      return;
    }
  }

  /** Empties the mailbox of a member that has ended. Returns how many messages that were. */
  discard(cell: Cell, lost: (waiting: Waiting) => void): number {
    let count = 0;
    for (let waiting = cell.first; waiting !== undefined; waiting = waiting.next) {
      count++;
      this.#uncount(waiting.bytes);
      lost(waiting);
    }
    cell.first = cell.last = undefined;
    return count;
  }

  /** What waits for a member that has ended is its next life's. */
  handOver(cell: Cell, next: Cell): void {
    next.first = cell.first;
    next.last = cell.last;
    cell.first = cell.last = undefined;
    this.#lines.moved(cell, next);
  }

  /** Takes out what the thread's last words have told of: nothing handles it here any more. */
  forget(cell: Cell): void {
    cell.first = cell.last = undefined;
  }

  /** Takes all out, as if it had been handled. */
  empty(cell: Cell, lost: (waiting: Waiting) => void): number {
    let count = 0;
    for (let waiting = this.take(cell); waiting !== undefined; waiting = this.take(cell)) {
      count++;
      lost(waiting);
    }
    return count;
  }

  /** After `discard`: senders that wait for room in it learn that there is none. */
  close(cell: Cell): void {
    ring(this.#table, cell.number * CELL_WORDS + CELL_SPACE);
    this.#lines.roomIn(cell);
  }

  dropped({ number }: Cell, method: string): void {
    Atomics.add(this.#table, number * CELL_WORDS + CELL_DROPPED, 1);
    this.#parts.news.lost(method, "dropped");
  }

  #dropOldest(cell: Cell, at: number): void {
    const table = this.#table;
    for (;;) {
      const oldest = cell.first;
      if (oldest === undefined || oldest.next === undefined) return;
      if (lengthIn(table, at) <= table[at + CELL_CAPACITY] && table[at + CELL_BYTES] <= table[at + CELL_CAPACITY_BYTES])
        return;
      cell.first = oldest.next;
      this.#taken(cell, oldest);
      const method = nameOf(this.#parts.outbox.names, oldest.method);
      this.dropped(cell, method);
      oldest.caller?.fail(mailboxFull(table, cell, method));
    }
  }

  #taken(cell: Cell, { bytes }: Waiting): void {
    const table = this.#table;
    const at = cell.number * CELL_WORDS;
    table[at + CELL_TAKEN]++;
    // Atomic, and so before `ring` looks for a sender that waits.
    Atomics.sub(table, at + CELL_BYTES, bytes);
    if (cell.kept) {
      table[at + CELL_HEAP]--;
      table[at + CELL_HEAP_BYTES] -= bytes;
    }
    this.#uncount(bytes);
    ring(table, at + CELL_SPACE);
    if (this.#lines.waits) this.#lines.roomIn(cell);
  }

  #uncount(bytes: number): void {
    this.#table[TABLE_QUEUED]--;
    this.#table[TABLE_QUEUED_BYTES] -= bytes;
  }
}
