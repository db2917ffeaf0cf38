/*
 * Decides whether an actor is stuck. Its thread reads no clock for this: it counts in shared memory, and the watchdog
 * measures how long a count stands still.
 */

/** A look that is later than this was delayed, because main did not run. */
const LATE_MS = 100;

/** An actor that has stood still for this long may only wait for a core. From then on these waits are counted. */
const SLOW_MS = 250;
const SLOW_SHARE = 0.25;
/**
 * Even if its thread gets hardly any core, an actor is ended when it has stood still for this many times its timeout.
 */
const MOST_STRETCH = 10;

/** An actor's shared memory at one look. */
export interface Activity {
  /** The method being handled; 0 when there is none. */
  readonly handling: number;
  readonly dispatches: number;
  readonly turns: number;
  /** It sleeps at its doorbell. Callbacks of its event loop may still run. */
  readonly parked: boolean;
  /** How long its event loop has been idle since it started; undefined when the guard did not ask. */
  readonly idleMs: number | undefined;
}

export interface WatchState {
  readonly handling: number;
  readonly dispatches: number;
  readonly handlingSinceMs: number;
  readonly turns: number;
  readonly idleMs: number;
  readonly turningSinceMs: number;
  /** Whether the last look could tell that the event loop turns. */
  readonly loopSeen: boolean;
}

/** An actor that has stood still for longer than its timeout. */
export interface Stuck {
  /** 0: it is not in a handler, but in some callback of its event loop. */
  readonly method: number;
  readonly afterMs: number;
}

export function startWatch(nowMs: number): WatchState {
  return {
    handling: 0,
    dispatches: 0,
    handlingSinceMs: nowMs,
    turns: 0,
    idleMs: 0,
    turningSinceMs: nowMs,
    loopSeen: false,
  };
}

/**
 * How far the watchdog's own clock advances, which it does only while the watchdog can look. Time in which main did not
 * run (the process was stopped, its machine paused) does not count, because the actor may not have run either.
 */
export function passed(gapMs: number, plannedMs: number): number {
  return Math.min(gapMs, plannedMs + LATE_MS);
}

/** The state after one more look. */
export function watch(state: WatchState, seen: Activity, nowMs: number): WatchState {
  const sameDispatch = seen.dispatches === state.dispatches;
  const sameHandler = sameDispatch && seen.handling !== 0 && seen.handling === state.handling;
  // The counts of a parked thread say nothing. The idle time of its event loop tells whether callbacks run there.
  const loopSeen = !seen.parked || seen.idleMs !== undefined;
  const idled = seen.idleMs !== undefined && seen.idleMs > state.idleMs;
  const turned = loopSeen && (idled || !sameDispatch || seen.turns !== state.turns);
  return {
    handling: seen.handling,
    dispatches: seen.dispatches,
    handlingSinceMs: sameHandler ? state.handlingSinceMs : nowMs,
    turns: loopSeen ? seen.turns : state.turns,
    idleMs: seen.idleMs ?? state.idleMs,
    turningSinceMs: turned ? nowMs : state.turningSinceMs,
    loopSeen,
  };
}

/** Since when it stands still; undefined when that is not known. */
export function stillSince(state: WatchState): number | undefined {
  if (state.handling === 0 && !state.loopSeen) return undefined;
  return state.handling === 0 ? state.turningSinceMs : state.handlingSinceMs;
}

/** How long it must have stood still before its waits for a core are counted. */
export function slowAfterMs(handlerTimeoutMs: number): number {
  return Math.min(SLOW_MS, handlerTimeoutMs * SLOW_SHARE);
}

/**
 * Judges a watched actor: undefined while it is not stuck. For `starvedMs` of the time its thread could have run but
 * had no core, and this does not count. A blocked thread does not wait for a core, so it is found in time.
 */
export function judgeWatch(
  state: WatchState,
  handlerTimeoutMs: number,
  nowMs: number,
  starvedMs = 0,
): Stuck | undefined {
  const sinceMs = stillSince(state);
  if (sinceMs === undefined) return undefined;
  const afterMs = nowMs - sinceMs;
  const ownMs = Math.max(afterMs - starvedMs, afterMs / MOST_STRETCH);
  return ownMs >= handlerTimeoutMs ? { method: state.handling, afterMs } : undefined;
}
