/**
 * How long to look for work before sleeping. To wake a sleeper costs 6–12 µs, on a virtual machine up to 50; to find
 * the message while spinning costs 0.4 µs. But a spin that finds nothing takes the core from the thread that would send
 * the message. So a thread spins only while every awake thread has a core, and only while spinning pays off; it tries
 * again now and then.
 */
const MAX_SPINS = 4000;
/** About 25 µs: the handler of the other side and its wake-up must fit in. */
const PROBE_SPINS = 2000;
const MIN_SPINS = 250;
/** After this many sleeps without a spin, one spin is tried. */
const PROBE_EVERY = 16;

export class IdleStrategy {
  readonly #awake: Int32Array;
  readonly #cores: number;
  // A thread starts without spinning: no sender would end the spin, and V8 would compile its loop.
  #spins = 0;
  #sleeps = 0;

  /** `awake` counts the actors' threads that do not sleep; see `Inbox`. */
  constructor(awake: Int32Array, cores: number) {
    this.#awake = awake;
    this.#cores = cores;
  }

  /** How many times to look before sleeping. */
  get spins(): number {
    // On one core spinning only delays the sender.
    if (this.#cores === 1 || Atomics.load(this.#awake, 0) > this.#cores) return 0;
    if (this.#spins === 0 && ++this.#sleeps >= PROBE_EVERY) {
      this.#sleeps = 0;
      return PROBE_SPINS;
    }
    return this.#spins;
  }

  found(): void {
    this.#spins = Math.min(MAX_SPINS, Math.max(PROBE_SPINS, this.#spins * 2));
  }

  foundNothing(): void {
    this.#spins = this.#spins <= MIN_SPINS ? 0 : this.#spins >> 1;
  }
}
