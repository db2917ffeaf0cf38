/** What every event tells. */
export interface EventFacts {
  /** Path of the actor or supervisor. */
  readonly id: string;
  /** Monotonic ms, `performance.now()` of the main thread. */
  readonly at: number;
}
