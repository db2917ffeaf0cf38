import { napWhile } from "./doorbell.js";

/**
 * Main's patience with a lock. Longer than any critical section takes a running thread; a lock held longer has an owner
 * that was preempted, or died. Only main's event loop frees a dead owner's, so main goes back to it: what it wanted to
 * push waits in line, and is tried again at the loop's next turn.
 */
export const MAIN_LOCK_PATIENCE_MS = 5;

/** Who pushes: fixed for a thread. */
export interface Producer {
  /** Unique among all threads ever started; the value of a lock this thread holds. */
  readonly ownerId: number;
  /** How long to wait for a lock: actors for ever (main frees a dead owner's), main `MAIN_LOCK_PATIENCE_MS`. */
  readonly lockPatienceMs: number;
  readonly epochMs: number;
}

const SPINS = 200;
const NAP_MS = 1;

/** Takes the lock in `words[lock]` for this thread. False when it was not to be had within the thread's patience. */
export function acquire(words: Int32Array, lock: number, producer: Producer): boolean {
  return Atomics.compareExchange(words, lock, 0, producer.ownerId) === 0 || acquireSlowly(words, lock, producer);
}

export function release(words: Int32Array, lock: number): void {
  Atomics.store(words, lock, 0);
}

/** The only place where main may wait for another thread. The critical sections are short, so the owner is running (then it is done in a moment), preempted, or dead. */
function acquireSlowly(words: Int32Array, lock: number, { ownerId, lockPatienceMs }: Producer): boolean {
  const giveUpAt = lockPatienceMs === Infinity ? Infinity : performance.now() + lockPatienceMs;
  for (;;) {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(words, lock) === 0 && Atomics.compareExchange(words, lock, 0, ownerId) === 0) return true;
    }
    if (giveUpAt !== Infinity && performance.now() >= giveUpAt) return false;
    const owner = Atomics.load(words, lock);
    if (owner !== 0) napWhile(words, lock, owner, NAP_MS);
  }
}
