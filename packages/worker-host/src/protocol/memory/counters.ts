import { BLOCKED_US, DROPPED, FULL_TOLD, LOG_TAKEN, LOST } from "./slot-descriptor.js";

/*
 * What is counted of a mailbox, and the flags beside the counts. Main and the actors' threads write these words.
 */

/** A producer that found the mailbox full: true for the first since there was room, which tells main. */
export function isFirstToFindFull(words: Int32Array): boolean {
  return Atomics.exchange(words, FULL_TOLD, 1) === 0;
}

/** Main: there is room again. */
export function roomAgain(words: Int32Array): void {
  Atomics.store(words, FULL_TOLD, 0);
}

/** A producer: its message, or one that it made room with, was dropped by the overflow policy. */
export function countDropped(words: Int32Array): void {
  Atomics.add(words, DROPPED, 1);
}

/** A producer: how long it has waited for room since it counted last. */
export function countBlocked(words: Int32Array, ms: number): void {
  Atomics.add(words, BLOCKED_US, Math.round(ms * 1000));
}

/** Main, while no consumer lives: an accepted message goes to the dead letters. */
export function countLost(words: Int32Array): void {
  words[LOST]++;
}

/** Main: gives the thread that runs credit back, for lines of its log that main has taken. */
export function giveLogCredit(words: Int32Array, units: number): void {
  Atomics.add(words, LOG_TAKEN, units);
}
