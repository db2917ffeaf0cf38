import { napWhile } from "./doorbell.js";

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
 * them later. An entry is a thread's id, 0 for none, and its two words.
 */
const ENTRY_WORDS = 1 + ATTENTION_BYTES / 4;

export function attentionTable(threads: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(threads * ENTRY_WORDS * 4));
}

/** The thread: takes an entry and returns its two words; undefined when no entry is free. */
export function claimAttention(table: Int32Array, threadId: number): Int32Array | undefined {
  for (let entry = 0; entry < table.length; entry += ENTRY_WORDS) {
    if (Atomics.compareExchange(table, entry, 0, threadId) === 0) return wordsOf(table, entry);
  }
  return undefined;
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
  for (let entry = 0; entry < table.length; entry += ENTRY_WORDS) {
    if (Atomics.load(table, entry) === threadId) return entry;
  }
  return undefined;
}

function wordsOf(table: Int32Array, entry: number): Int32Array {
  return table.subarray(entry + 1, entry + ENTRY_WORDS);
}
