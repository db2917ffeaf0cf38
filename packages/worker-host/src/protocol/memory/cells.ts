/*
 * A table of cells: the shared memory of the light actors of one partition. It is a segment of its own, so every thread
 * has it. Word indexes are in int32 units.
 *
 *   0  slot address · slot uid   of the partition: its ring carries the messages of all its members
 *   2  cells                     how many the table has, the header's two included
 *   3  current                   the cell whose code runs, 0 for none         (written by the partition)
 *   4  members                   how many live                                (written by the partition)
 *   5  queued · 6 queued bytes   messages that wait on the partition's heap   (written by the partition)
 *   7  most queued bytes         from then on every member counts as full     (written by main)
 *   8  used                      no cell from here on was ever used           (written by the partition)
 *   9  arrived                   seq + 1 of the last record of the ring that is on the heap, see `Mailboxes.put`
 *   10 handled                  messages that members have taken to be handled, ever: modulo 2^32 (written by the partition)
 *   32 …                         the cells, from number 2 on: a cache line each
 *
 * The address of a light actor has bit 31 set, then 11 bits for the table's segment and 20 for the cell, so it is a
 * negative int32; the address of a slot never is. What stands for a uid beside it is the cell's generation, above all
 * uids: so no table of ordinary actors ever finds one.
 */
import { ring } from "./doorbell.js";
import { MAX_UID, OVERFLOW_POLICIES, type OverflowPolicy } from "./slot-descriptor.js";

export const CELL_WORDS = 16;
/** Numbers of the first cell and of the last: 20 bits. */
export const FIRST_CELL = 2;
export const MAX_CELLS = 2 ** 20;

export const TABLE_ADDRESS = 0;
export const TABLE_UID = 1;
export const TABLE_CELLS = 2;
export const TABLE_CURRENT = 3;
export const TABLE_MEMBERS = 4;
export const TABLE_QUEUED = 5;
export const TABLE_QUEUED_BYTES = 6;
export const TABLE_MOST_BYTES = 7;
export const TABLE_USED = 8;
export const TABLE_ARRIVED = 9;
export const TABLE_HANDLED = 10;

/** generation · 4 + state, as a slot's identity. */
export const CELL_IDENTITY = 0;
/** Messages that were accepted from other threads. See `acceptedIn`, `lengthIn`. */
export const CELL_ACCEPTED = 1;
/** Messages, of all that were accepted, that wait no longer. (by the partition) */
export const CELL_TAKEN = 2;
/** Bytes of the messages that wait. */
export const CELL_BYTES = 3;
export const CELL_CAPACITY = 4;
export const CELL_CAPACITY_BYTES = 5;
/** Overflow policy (bits 0–1) · how long a sender waits for room, in ms. */
export const CELL_POLICY = 6;
/** The latest life of the cell whose end main wants to know; 0 for none. See `wantEnd`. */
export const CELL_WATCHED = 7;
/** Doorbell: 1 while a sender waits for room. */
export const CELL_SPACE = 8;
/** 1 while it is suspended. */
export const CELL_SUSPENDED = 9;
/** Of the present life, or of the next one while there is none: 1 for the first. */
export const CELL_INCARNATION = 10;
/** When it is started again: one of the RESTART numbers. */
export const CELL_RESTART = 11;
/** Of one that is started again: messages that wait on the heap, not in the ring, and their bytes. (by the partition) */
export const CELL_HEAP = 12;
export const CELL_HEAP_BYTES = 13;
/** Messages that an overflow policy has dropped, over all lives. (by the thread that drops one) */
export const CELL_DROPPED = 14;
/** Messages that were accepted from members of the same partition. (by the partition) */
export const CELL_ACCEPTED_HERE = 15;

export const RESTART_TEMPORARY = 0;
export const RESTART_TRANSIENT = 1;
export const RESTART_PERMANENT = 2;
/** By their RESTART numbers. */
export const RESTART_TYPES = ["temporary", "transient", "permanent"] as const;

const SEGMENT_SHIFT = 20;
const CELL_MASK = MAX_CELLS - 1;
/** Added to a generation, so that it equals no uid of a slot. */
const GENERATION_BASE = MAX_UID + 1;
const MAX_GENERATION = 2 ** 29;

export function tableBytes(cells: number): number {
  return cells * CELL_WORDS * 4;
}

/** How many messages the present life's mailbox has accepted, modulo 2^32. */
export function acceptedIn(words: Int32Array, at: number): number {
  return (words[at + CELL_ACCEPTED] + words[at + CELL_ACCEPTED_HERE]) >>> 0;
}

/** How many messages wait. Negative for a moment, when another thread counts meanwhile. */
export function lengthIn(words: Int32Array, at: number): number {
  return (words[at + CELL_ACCEPTED] + words[at + CELL_ACCEPTED_HERE] - words[at + CELL_TAKEN]) | 0;
}

export function cellAddress(segment: number, cell: number): number {
  return 0x8000_0000 | (segment << SEGMENT_SHIFT) | cell;
}

export function isCellAddress(address: number): boolean {
  return address < 0;
}

export function cellOf(address: number): number {
  return address & CELL_MASK;
}

export function segmentOfCell(address: number): number {
  return (address >>> SEGMENT_SHIFT) & 0x7ff;
}

/** What a reference to this life of a cell has in the place of a uid. */
export function uidOfGeneration(generation: number): number {
  return GENERATION_BASE + generation;
}

export function generationOf(uid: number): number {
  return uid - GENERATION_BASE;
}

/** 1, 2, … and 1 again after half a billion lives: a reference that is that old could mean another actor. */
export function nextGeneration(identity: number): number {
  const generation = (identity >>> 2) + 1;
  return generation > MAX_GENERATION ? 1 : generation;
}

export function writePolicy(overflow: OverflowPolicy, blockTimeoutMs: number): number {
  return OVERFLOW_POLICIES.indexOf(overflow) | (Math.min(Math.ceil(blockTimeoutMs), 2 ** 29 - 1) << 2);
}

export function overflowOf(policy: number): OverflowPolicy {
  return OVERFLOW_POLICIES[policy & 3];
}

export function blockTimeoutOf(policy: number): number {
  return policy >>> 2;
}

/**
 * Main wants to know how this life of a cell ends. A life that ends publishes the next life, or that there is none, before
 * it looks here; who wants to know looks afterwards whether that life is still the present one: one of them sees the other.
 */
export function wantEnd(words: Int32Array, at: number, life: number): void {
  for (let wanted = Atomics.load(words, at + CELL_WATCHED); wanted < life; ) {
    const found = Atomics.compareExchange(words, at + CELL_WATCHED, wanted, life);
    if (found === wanted) return;
    wanted = found;
  }
}

/** Whether main wants to know how this life ends. It may have wanted to know it of a later one only. */
export function isEndWanted(words: Int32Array, at: number, life: number): boolean {
  return Atomics.load(words, at + CELL_WATCHED) >= life;
}

/** Main, before the partition's first thread starts. */
export function formatTable(
  words: Int32Array,
  slot: { readonly address: number; readonly uid: number },
  mostBytes: number,
): void {
  words[TABLE_ADDRESS] = slot.address;
  words[TABLE_UID] = slot.uid;
  words[TABLE_CELLS] = Math.floor(words.length / CELL_WORDS);
  words[TABLE_MOST_BYTES] = mostBytes;
  if (words[TABLE_USED] === 0) words[TABLE_USED] = FIRST_CELL;
}

/** Messages, of those that waited on the heap of a thread that has ended, which the next one gets. */
export interface SavedCount {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Main, when the partition's thread has ended: no member lives. Those in `kept`, by cell, stay open, because the next
 * thread starts them again: their lives are over, and what their heap has lost counts as taken, unless this thread had not
 * taken over yet.
 * Generations stay, so that no reference to a former member means a later one.
 */
export function closeTable(
  words: Int32Array,
  kept: ReadonlyMap<number, SavedCount> = new Map(),
  wasTakenOver = true,
): void {
  for (let cell = FIRST_CELL; cell < words[TABLE_USED]; cell++) {
    const at = cell * CELL_WORDS;
    const saved = kept.get(cell);
    if (saved === undefined) {
      Atomics.and(words, at + CELL_IDENTITY, ~3);
    } else if (wasTakenOver) {
      Atomics.add(words, at + CELL_TAKEN, words[at + CELL_HEAP] - saved.count);
      Atomics.sub(words, at + CELL_BYTES, words[at + CELL_HEAP_BYTES] - saved.bytes);
      Atomics.add(words, at + CELL_INCARNATION, 1);
      ring(words, at + CELL_SPACE);
    }
    words[at + CELL_HEAP] = words[at + CELL_HEAP_BYTES] = 0;
  }
  Atomics.store(words, TABLE_MEMBERS, kept.size);
  for (const word of [TABLE_CURRENT, TABLE_QUEUED, TABLE_QUEUED_BYTES]) Atomics.store(words, word, 0);
}
