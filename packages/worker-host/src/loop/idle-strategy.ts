/**
 * How long to look for work before sleeping. Waking a sleeper costs 6–12 µs and on a virtual machine up to 50,
 * finding the message while spinning 0.4 µs; but a spin that finds nothing takes the core from the thread that would send
 * it. So it spins only while there is a core for every thread that is awake, and while that has been paying off; and
 * tries again now and then.
 */
const MAX_SPINS = 4000;
/** Some 25 µs: the other side's handler and its own wake-up must fit in. */
const PROBE_SPINS = 2000;
const MIN_SPINS = 250;
/** After this many sleeps without a spin, one spin is tried. */
const PROBE_EVERY = 16;

export class IdleStrategy {
  readonly #awake: Int32Array;
  readonly #cores: number;
  // A thread that has just started is alone so far: V8 would compile the loop of a spin that no sender ends.
  #spins = 0;
  #sleeps = 0;

  /** `awake` counts the threads of all actors that do not sleep; see `Inbox`. */
  constructor(awake: Int32Array, cores: number) {
    this.#awake = awake;
    this.#cores = cores;
  }

  /** How often to look before sleeping. */
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
