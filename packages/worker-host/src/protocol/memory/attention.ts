import { napWhile } from "./doorbell.js";

/*
 * Between main, whose inspector asks a thread something, and that thread, which is on its way out. Node aborts the
 * process when a question arrives in the very moment in which the thread takes its side of the inspector down: main
 * holds a weak reference to what is being destroyed there (`MainThreadInterface::Post`, Node 20 and later). So a thread
 * that leaves says so first, and waits until main has asked what it was about to ask.
 *
 *   word 0  asking    1 while main asks; the asking itself does not wait for an answer
 *   word 1  leaving   1 once the thread is on its way out
 */
const ASKING = 0;
const LEAVING = 1;
export const ATTENTION_BYTES = 8;

const NAP_MS = 1;
/** Main asks within microseconds; it may be preempted meanwhile. */
const MAX_NAPS = 100;

/** Main: asks, unless the thread is leaving. */
export function askUnlessLeaving<T>(words: Int32Array, ask: () => T): T | undefined {
  Atomics.store(words, ASKING, 1);
  try {
    return Atomics.load(words, LEAVING) === 1 ? undefined : ask();
  } finally {
    Atomics.store(words, ASKING, 0);
  }
}

/** The thread, before it ends: main asks it nothing from now on. */
export function leave(words: Int32Array): void {
  Atomics.store(words, LEAVING, 1);
  for (let naps = 0; Atomics.load(words, ASKING) === 1 && naps < MAX_NAPS; naps++) napWhile(words, ASKING, 1, NAP_MS);
}

/*
 * For threads that a library starts, which can be given nothing at their start: a table, sent to them later.
 * An entry is a thread's id, 0 for none, and its two words.
 */
const ENTRY_WORDS = 1 + ATTENTION_BYTES / 4;

export function attentionTable(threads: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(threads * ENTRY_WORDS * 4));
}

/** The thread: the words of its entry from now on; undefined when there is none left. */
export function claimAttention(table: Int32Array, threadId: number): Int32Array | undefined {
  for (let entry = 0; entry < table.length; entry += ENTRY_WORDS) {
    if (Atomics.compareExchange(table, entry, 0, threadId) === 0) return wordsOf(table, entry);
  }
  return undefined;
}

/** Main: asks a thread, unless it is leaving. One without an entry is asked. */
export function askUnlessLeavingBy<T>(table: Int32Array, threadId: number, ask: () => T): T | undefined {
  const entry = entryOf(table, threadId);
  return entry === undefined ? ask() : askUnlessLeaving(wordsOf(table, entry), ask);
}

/** Main, once the thread has exited. */
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
