/**
 * How long to look for work before sleeping. Waking a sleeper costs 6–12 µs, finding the message while
 * spinning 0.4 µs, but a spin that finds nothing takes the core from whoever would send it. So it spins only
 * while that has been paying off, and tries again now and then.
 */
const MAX_SPINS = 4000;
const MIN_SPINS = 250;
/** After this many sleeps without a spin, one spin is tried. */
const PROBE_EVERY = 64;

export class IdleStrategy {
  #spins: number;
  #sleeps = 0;
  readonly #enabled: boolean;

  /** `enabled`: false on one core, where spinning only delays the sender. */
  constructor(enabled: boolean) {
    this.#enabled = enabled;
    this.#spins = enabled ? MIN_SPINS : 0;
  }

  /** How often to look before sleeping. */
  get spins(): number {
    if (!this.#enabled) return 0;
    if (this.#spins === 0 && ++this.#sleeps >= PROBE_EVERY) {
      this.#sleeps = 0;
      return MIN_SPINS;
    }
    return this.#spins;
  }

  found(): void {
    if (this.#enabled) this.#spins = Math.min(MAX_SPINS, Math.max(MIN_SPINS, this.#spins * 2));
  }

  foundNothing(): void {
    this.#spins = this.#spins <= MIN_SPINS ? 0 : this.#spins >> 1;
  }
}
