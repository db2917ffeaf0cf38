/**
 * Sleeping and waking across threads. The only file that waits on or notifies shared memory.
 *
 * A waiter stores 1 in a word, looks for work once more, then waits for the word to change. A thread that makes work
 * finds the 1, sets the word back to 0 and notifies. The waiter announces before it looks, and the other makes work
 * before it rings: whichever comes second sees the other, so no wake-up is lost. A thread that dies between setting
 * the 0 and notifying leaves a sleeper behind; main wakes that with `wakeAll` after the exit.
 */
export function announce(words: Int32Array, index: number): void {
  Atomics.store(words, index, 1);
}

export function retract(words: Int32Array, index: number): void {
  Atomics.store(words, index, 0);
}

/** Blocks this thread until rung or `timeoutMs` has passed. Returns at once when already rung. */
export function sleep(words: Int32Array, index: number, timeoutMs: number): void {
  Atomics.wait(words, index, 1, timeoutMs);
}

/**
 * Resolves when rung, without blocking; `undefined` when already rung. Never times out: V8 keeps some
 * hundred bytes for every timed wait that is notified early, until its timeout. Does not keep the process
 * or thread alive.
 */
export function sleepAsync(words: Int32Array, index: number): Promise<unknown> | undefined {
  const waiting = Atomics.waitAsync(words, index, 1);
  return waiting.async ? waiting.value : undefined;
}

/**
 * Wakes the threads that have announced themselves on this word; costs one load when there are none. Wakes all of them,
 * because a thread may have an earlier asynchronous wait pending beside the one it sleeps in now.
 */
export function ring(words: Int32Array, index: number): void {
  if (Atomics.load(words, index) === 1 && Atomics.compareExchange(words, index, 1, 0) === 1) {
    Atomics.notify(words, index);
  }
}

/** Wakes every waiter, announced or not. For repair, when a thread may have died inside `ring`. */
export function wakeAll(words: Int32Array, index: number): void {
  Atomics.store(words, index, 0);
  Atomics.notify(words, index);
}

/**
 * Blocks while a lock word is `owner`, for `timeoutMs` at most. Releasing a lock does not notify, so the nap ends by
 * its timeout.
 */
export function napWhile(words: Int32Array, index: number, owner: number, timeoutMs: number): void {
  Atomics.wait(words, index, owner, timeoutMs);
}
