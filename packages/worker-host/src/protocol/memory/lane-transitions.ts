import {
  CLAIMED_SEQ,
  CLAIMS,
  CURSOR,
  DELIVERED_AGAIN,
  HANDLED_SEQ,
  HEAD,
  IN_FLIGHT,
  LOCK,
  NEXT_SEQ,
  TO_DELIVER_AGAIN,
} from "./slot-descriptor.js";

/*
 * How a lane moves on. The consumer's thread makes these steps, under drop_oldest a producer too, and main after the
 * consumer's death. The order of the stores is part of each: a thread may die between any two of them, and main reads
 * at any time. `seq` is the seq of the record that the step is about.
 */

/** The record has been handled: its room is free up to `head`. */
export function passRecord(words: Int32Array, lane: number, seq: number, head: number): void {
  words[lane + HANDLED_SEQ] = (seq + 1) | 0;
  Atomics.store(words, lane + HEAD, head);
}

/** The record at `head` was being handled, and waits again as the first. */
export function returnRecord(words: Int32Array, lane: number, head: number): void {
  Atomics.store(words, lane + CURSOR, head);
}

/** No record before `position` waits any more, nor is handled. */
export function emptyUpTo(words: Int32Array, lane: number, position: number): void {
  Atomics.store(words, lane + CURSOR, position);
  Atomics.store(words, lane + HEAD, position);
}

/** The record leaves the ring unhandled: dropped for want of room, or taken out. `emptyUpTo` follows. */
export function countGone(words: Int32Array, lane: number, seq: number): void {
  words[lane + HANDLED_SEQ] = (seq + 1) | 0;
}

/**
 * Main: a producer died inside, so the seqs are counted afresh. `first` is that of the oldest record, if it matters.
 */
export function recountSeqs(words: Int32Array, lane: number, next: number, first: number | undefined): void {
  words[lane + NEXT_SEQ] = next;
  if (first !== undefined) words[lane + HANDLED_SEQ] = first;
}

/** Main: the lane's lock is free, because its owner has died. */
export function freeLock(words: Int32Array, lane: number): void {
  Atomics.store(words, lane + LOCK, 0);
}

// The in-flight area of a lane that drops its oldest record.

/**
 * The record at `head`, which has been copied to the in-flight area, is claimed. `next` is where the following begins.
 */
export function claim(words: Int32Array, lane: number, seq: number, head: number, next: number): void {
  // Odd, since positions are multiples of 8. While the head still stands there, the claim has not been made.
  Atomics.store(words, lane + IN_FLIGHT, head | 1);
  words[lane + CLAIMED_SEQ] = (seq + 1) | 0;
  words[lane + CLAIMS]++;
  // After the count: a reader that reads this one first never sees more records gone than were claimed or dropped.
  Atomics.store(words, lane + HANDLED_SEQ, (seq + 1) | 0);
  emptyUpTo(words, lane, next);
}

/** Main: the claim was begun, but the record never left the ring. */
export function unclaim(words: Int32Array, lane: number, seq: number): void {
  words[lane + IN_FLIGHT] = 0;
  if (words[lane + CLAIMED_SEQ] !== ((seq + 1) | 0)) return;
  words[lane + CLAIMED_SEQ] = seq;
  words[lane + CLAIMS]--;
}

/** The record in flight has been handled, or will not be. */
export function endClaim(words: Int32Array, lane: number): void {
  Atomics.store(words, lane + IN_FLIGHT, 0);
}

/** Main: the next incarnation is to handle the record in flight first. */
export function deliverAgain(words: Int32Array, lane: number): void {
  words[lane + IN_FLIGHT] = TO_DELIVER_AGAIN;
}

export function isToDeliverAgain(words: Int32Array, lane: number): boolean {
  return words[lane + IN_FLIGHT] === TO_DELIVER_AGAIN;
}

/** The next incarnation handles it now. */
export function beginAgain(words: Int32Array, lane: number): void {
  Atomics.store(words, lane + IN_FLIGHT, DELIVERED_AGAIN);
}

/** Main has taken `count` records out that waited: they count as claimed, so that they do not count as dropped. */
export function claimTaken(words: Int32Array, lane: number, count: number): void {
  if (count > 0) words[lane + CLAIMED_SEQ] = words[lane + HANDLED_SEQ];
  words[lane + CLAIMS] += count;
}
