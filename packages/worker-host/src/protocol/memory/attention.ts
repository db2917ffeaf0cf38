import { announce, napWhile, ring, sleepAsync } from "./doorbell.js";

/*
 * Keeps main's inspector from asking a thread that is ending. Node aborts the process when a question arrives at the
 * moment in which the thread tears down its side of the inspector, because main holds a weak reference to the object
 * that is being destroyed there (`MainThreadInterface::Post`, Node 20 and later). So a thread that ends says so first,
 * and waits until main has sent the question it had begun.
 *
 *   word 0  asking    1 while main sends a question; sending does not wait for the answer
 *   word 1  leaving   1 once the thread is about to end
 */
const ASKING = 0;
const LEAVING = 1;
export const ATTENTION_BYTES = 8;

const NAP_MS = 1;
/** Main sends a question within microseconds, but it may be preempted meanwhile. */
const MAX_NAPS = 100;

/** Main: calls `ask`, unless the thread is leaving. */
export function askUnlessLeaving<T>(words: Int32Array, ask: () => T): T | undefined {
  Atomics.store(words, ASKING, 1);
  try {
    return Atomics.load(words, LEAVING) === 1 ? undefined : ask();
  } finally {
    Atomics.store(words, ASKING, 0);
  }
}

/**
 * The thread, before it ends: from now on main asks it nothing. Blocks until a question that main has begun is sent.
 */
export function leave(words: Int32Array): void {
  Atomics.store(words, LEAVING, 1);
  for (let naps = 0; Atomics.load(words, ASKING) === 1 && naps < MAX_NAPS; naps++) napWhile(words, ASKING, 1, NAP_MS);
}

/*
 * A table of these words, for threads that a library starts: they get nothing at their start, so the table is sent to
 * them later.
 *
 *   word 0  main sleeps here until a thread leaves
 *   then an entry for each thread: its id, 0 for none; its two words; and the exit code with which it leaves
 */
const BELL = 0;
const FIRST_ENTRY = 1;
const EXIT_CODE = 2;
const ENTRY_WORDS = 1 + ATTENTION_BYTES / 4 + 1;

export function attentionTable(threads: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer((FIRST_ENTRY + threads * ENTRY_WORDS) * 4));
}

/** The thread: takes an entry and returns its two words; undefined when no entry is free. */
export function claimAttention(table: Int32Array, threadId: number): Int32Array | undefined {
  for (let entry = FIRST_ENTRY; entry < table.length; entry += ENTRY_WORDS) {
    if (Atomics.compareExchange(table, entry, 0, threadId) === 0) return wordsOf(table, entry);
  }
  return undefined;
}

/** The thread, before its exit handlers run: as `leave`, and main learns of it. `own` is its entry. */
export function leaveTable(table: Int32Array, own: Int32Array, exitCode: number): void {
  Atomics.store(own, EXIT_CODE, exitCode);
  Atomics.store(own, LEAVING, 1);
  ring(table, BELL);
  leave(own);
}

/** The thread: its exit has been refused, so it goes on. */
export function stay(own: Int32Array): void {
  Atomics.store(own, LEAVING, 0);
}

/** Main: resolves when a thread of the table leaves; `undefined` when one has meanwhile. `leavingThreads` says which. */
export function whenOneLeaves(table: Int32Array): Promise<unknown> | undefined {
  announce(table, BELL);
  return sleepAsync(table, BELL);
}

/** Main: resolves what waits in `whenOneLeaves`. */
export function stopWaiting(table: Int32Array): void {
  ring(table, BELL);
}

export interface LeavingThread {
  readonly threadId: number;
  readonly exitCode: number;
}

/** Main: the threads on their way out that have not exited yet. */
export function leavingThreads(table: Int32Array): LeavingThread[] {
  const leaving: LeavingThread[] = [];
  for (let entry = FIRST_ENTRY; entry < table.length; entry += ENTRY_WORDS) {
    const words = wordsOf(table, entry);
    const threadId = Atomics.load(table, entry);
    if (threadId === 0 || Atomics.load(words, LEAVING) === 0) continue;
    leaving.push({ threadId, exitCode: Atomics.load(words, EXIT_CODE) });
  }
  return leaving;
}

/** Main: calls `ask`, unless the thread is leaving. A thread without an entry counts as staying. */
export function askUnlessLeavingBy<T>(table: Int32Array, threadId: number, ask: () => T): T | undefined {
  const entry = entryOf(table, threadId);
  return entry === undefined ? ask() : askUnlessLeaving(wordsOf(table, entry), ask);
}

/** Main: frees the entry of a thread that has exited. */
export function releaseAttention(table: Int32Array, threadId: number): void {
  const entry = entryOf(table, threadId);
  if (entry === undefined) return;
  wordsOf(table, entry).fill(0);
  Atomics.store(table, entry, 0);
}

function entryOf(table: Int32Array, threadId: number): number | undefined {
  for (let entry = FIRST_ENTRY; entry < table.length; entry += ENTRY_WORDS) {
    if (Atomics.load(table, entry) === threadId) return entry;
  }
  return undefined;
}

function wordsOf(table: Int32Array, entry: number): Int32Array {
  return table.subarray(entry + 1, entry + ENTRY_WORDS);
}
