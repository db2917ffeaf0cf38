/*
 * What two threads share beside their MessageChannel when neither goes back to its event loop between messages:
 * they take messages by `receiveMessageOnPort` and wait on these words.
 */
export const HANDLED = 0;
export const ASLEEP = 32;
export const REQUESTS = 64;
export const REPLIES = 96;
const WORDS = 128;

/** A few times as long as a round trip between two running threads; after that the core is left to others. */
const SPINS = 2000;

export function newSharedWords(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT));
}

export function publish(shared: Int32Array, word: number, value: number): void {
  Atomics.store(shared, word, value);
  Atomics.notify(shared, word);
}

/** Waits for a word to leave `value`. Returns the new value. */
export function waitWhile(shared: Int32Array, word: number, value: number): number {
  for (let spin = 0; spin < SPINS; spin++) {
    const now = Atomics.load(shared, word);
    if (now !== value) return now;
  }
  while (Atomics.load(shared, word) === value) Atomics.wait(shared, word, value);
  return Atomics.load(shared, word);
}
