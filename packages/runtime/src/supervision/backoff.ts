/** How long a restart waits, when a child fails again and again. */
export interface BackoffOptions {
  /** The delay before the first restart. With 0 every restart is immediate. */
  readonly minMs: number;
  /** No restart waits longer. */
  readonly maxMs: number;
  /** Each further restart waits this many times as long. */
  readonly factor: number;
  /** 0 to 1: each delay is changed at random, up or down, by at most this share of it. */
  readonly jitter: number;
  /** An incarnation that runs this long counts as healthy, and the next delay is `minMs` again. */
  readonly resetAfterMs: number;
}

export interface BackoffState {
  /** Restarts in a row without a healthy incarnation between them. */
  readonly attempts: number;
  /** When the last start succeeded (monotonic ms), or null when it failed. */
  readonly upSince: number | null;
}

/** The delay before the next restart, after a failure at `at`. `random` is in [0, 1). */
export function nextRestart(
  options: BackoffOptions,
  { attempts, upSince }: BackoffState,
  at: number,
  random: number,
): { readonly state: BackoffState; readonly delayMs: number } {
  const { minMs, maxMs, factor, jitter, resetAfterMs } = options;
  const wasHealthy = upSince !== null && at - upSince >= resetAfterMs;
  const n = wasHealthy ? 0 : attempts;
  const delay = minMs === 0 ? 0 : Math.min(maxMs, minMs * factor ** n);
  const varied = delay * (1 + jitter * (2 * random - 1));
  return { state: { attempts: n + 1, upSince: null }, delayMs: Math.min(maxMs, varied) };
}
