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

/** The thread, before it ends: nobody asks it anything from now on. */
export function leave(words: Int32Array): void {
  Atomics.store(words, LEAVING, 1);
  for (let naps = 0; Atomics.load(words, ASKING) === 1 && naps < MAX_NAPS; naps++) napWhile(words, ASKING, 1, NAP_MS);
}
