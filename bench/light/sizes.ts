import type { SmallObject } from "../payloads.js";

/** How many actors there are. */
export const SIZES = [2, 1_000, 10_000, 100_000] as const;

/** Messages under way at a time among so many actors. */
export function tokensFor(actors: number): number {
  return Math.min(1_000, actors * 16);
}

/** The next actor for a message, the same series for each contender: a linear congruential generator. */
export class Wander {
  #seed = 1;

  next(actors: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed % actors;
  }
}

/** What each actor keeps: what a session of MQTT would have. */
export interface Kept {
  readonly id: number;
  readonly keepAliveS: number;
  readonly subscriptions: string[];
  handled: number;
  last: SmallObject | undefined;
}

export function initial(id: number): Kept {
  return { id, keepAliveS: 60, subscriptions: [], handled: 0, last: undefined };
}
