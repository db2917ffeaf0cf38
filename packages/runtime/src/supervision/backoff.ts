/** How long a restart waits, when a child fails again and again. */
export interface BackoffOptions {
  /** The delay before the first restart; 0 restarts at once, always. Default 0. */
  readonly minMs: number;
  /** No restart waits longer. Default: 10 000, or `minMs` if that is more. */
  readonly maxMs: number;
  /** Each further restart waits this many times as long. Default 2. */
  readonly factor: number;
  /** 0 to 1: the delay is varied at random by up to this part of it, up or down. Default 0. */
  readonly jitter: number;
  /** A life this long counts as healthy, and the next delay is the first again. Default: half of `minMs` and `maxMs` together. */
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
