/**
 * Sleeping and waking across threads. The only file that waits on or notifies shared memory.
 *
 * A waiter announces itself by storing 1 in a word, looks for work once more, then waits for the word to
 * change. The thread that makes work afterwards finds the 1, sets it back to 0 and notifies. Announce before look,
 * work before ring: whichever comes second sees the other, so no wake-up is lost. A ringer that dies
 * between taking the 1 and notifying leaves a sleeper behind; main wakes it with `wakeAll` after the exit.
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
 * Wakes the threads that have announced themselves on this word; only a load when there are none. All waiters: a thread may have an
 * asynchronous wait pending from before beside the one it sleeps in now.
 */
export function ring(words: Int32Array, index: number): void {
  if (Atomics.load(words, index) === 1 && Atomics.compareExchange(words, index, 1, 0) === 1) {
    Atomics.notify(words, index);
  }
}

/** Wakes every waiter, announced or not: for repair, when a ringer may have died between its two steps. */
export function wakeAll(words: Int32Array, index: number): void {
  Atomics.store(words, index, 0);
  Atomics.notify(words, index);
}

/** Waits a moment for a lock word to leave `owner`. Unlocking does not notify, so this is a bounded nap. */
export function napWhile(words: Int32Array, index: number, owner: number, timeoutMs: number): void {
  Atomics.wait(words, index, owner, timeoutMs);
}
