import { napWhile } from "./doorbell.js";

/**
 * How long main waits for a lock. A running thread leaves every critical section sooner, so the owner of a lock held
 * longer was preempted, or died. Only main's event loop frees a dead owner's lock, so main goes back to it: the message
 * that it wanted to push waits in line until the loop's next turn.
 */
export const MAIN_LOCK_PATIENCE_MS = 5;

/** The identity of a thread that pushes. */
export interface Producer {
  /** Unique among all threads ever started; the value of a lock this thread holds. */
  readonly ownerId: number;
  /** How long to wait for a lock: actors for ever, because main frees a dead owner's; main `MAIN_LOCK_PATIENCE_MS`. */
  readonly lockPatienceMs: number;
  readonly epochMs: number;
}

const SPINS = 200;
const NAP_MS = 1;

/** Takes the lock in `words[lock]` for this thread. False when the thread did not get it within its patience. */
export function acquire(words: Int32Array, lock: number, producer: Producer): boolean {
  return Atomics.compareExchange(words, lock, 0, producer.ownerId) === 0 || acquireSlowly(words, lock, producer);
}

export function release(words: Int32Array, lock: number): void {
  Atomics.store(words, lock, 0);
}

/**
 * The only place where main may wait for another thread. The critical sections are short: an owner that runs is done in
 * a moment, so a longer wait means that it is preempted or dead.
 */
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
