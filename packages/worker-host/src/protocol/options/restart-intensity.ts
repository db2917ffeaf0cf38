export interface IntensityLimit {
  /** Restarts allowed within the period. */
  readonly intensity: number;
  readonly periodMs: number;
}

/**
 * Records a failure at `at` (monotonic ms). A failure exactly `periodMs` ago still counts. A supervisor has one budget,
 * however many children its strategy restarts; every failed start attempt during a restart is a failure too.
 *
 * @see https://www.erlang.org/doc/system/sup_princ.html#maximum-restart-intensity
 */
export function recordFailure(
  failures: readonly number[],
  at: number,
  { intensity, periodMs }: IntensityLimit,
): { readonly failures: readonly number[]; readonly restartAllowed: boolean } {
  // Oldest first: the failures to forget are at the front, and the rest is copied at once.
  let forgotten = 0;
  while (forgotten < failures.length && failures[forgotten] < at - periodMs) forgotten++;
  const recent = failures.slice(forgotten);
  recent.push(at);
  return { failures: recent, restartAllowed: recent.length <= intensity };
}
