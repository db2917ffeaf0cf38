import { type IntensityLimit, recordFailure } from "@mini-otp/worker-host/protocol/options";

const NONE: readonly number[] = [];

/**
 * Members over which their partition has ended. One that has done so twice within the period is not started again: all its
 * neighbours would end with it each time.
 */
export class Quarantine {
  readonly #limit: IntensityLimit;
  readonly #ends = new Map<string, readonly number[]>();

  /** `limit` is what the supervisor restarts by. */
  constructor({ intensity, periodMs }: IntensityLimit) {
    this.#limit = { intensity: Math.min(1, intensity), periodMs };
  }

  get periodMs(): number {
    return this.#limit.periodMs;
  }

  /** The partition has ended over this member. Returns how often by now, and whether the member is started again. */
  charge(id: string, at: number): { readonly ends: number; readonly isKept: boolean } {
    for (const [other, ends] of this.#ends) {
      if (ends[ends.length - 1] < at - this.#limit.periodMs) this.#ends.delete(other);
    }
    const { failures, restartAllowed } = recordFailure(this.#ends.get(id) ?? NONE, at, this.#limit);
    if (restartAllowed) this.#ends.set(id, failures);
    else this.#ends.delete(id);
    return { ends: failures.length, isKept: restartAllowed };
  }
}
