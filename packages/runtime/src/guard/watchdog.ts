/*
 * Whether an actor still gets anywhere. Its thread reads no clock for this: it counts, and the watchdog takes the
 * time from seeing a count stand still.
 */

/** A look that is late by more than this was kept from happening. */
const LATE_MS = 100;

/** An actor that stands still for this long may be slow for want of a core: from then on its waits for one are counted. */
const SLOW_MS = 250;
const SLOW_SHARE = 0.25;
/** However starved its thread is, an actor is ended when it has stood still for this many times what it may. */
const MOST_STRETCH = 10;

/** What a look at an actor's shared memory shows. */
export interface Activity {
  /** Method being handled, 0 when none. */
  readonly handling: number;
  readonly dispatches: number;
  readonly turns: number;
  /** It sleeps in its doorbell; callbacks of its own may run all the same. */
  readonly parked: boolean;
  /** How long its event loop has been idle, in sum; undefined when that was not asked. */
  readonly idleMs: number | undefined;
}

export interface WatchState {
  readonly handling: number;
  readonly dispatches: number;
  readonly handlingSinceMs: number;
  readonly turns: number;
  readonly idleMs: number;
  readonly turningSinceMs: number;
  /** The last look could tell whether the event loop turns. */
  readonly loopSeen: boolean;
}

/** An actor that has not moved for longer than it may. */
export interface Stuck {
  /** 0: not in a handler, but in some callback of its event loop. */
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
 * The watchdog's own clock: it passes only while the watchdog can look. Time in which main did not run (the process
 * was stopped, its machine paused) is not held against an actor, which may not have run either.
 */
export function passed(gapMs: number, plannedMs: number): number {
  return Math.min(gapMs, plannedMs + LATE_MS);
}

/** Takes a look into account. */
export function watch(state: WatchState, seen: Activity, nowMs: number): WatchState {
  const sameDispatch = seen.dispatches === state.dispatches;
  const sameHandler = sameDispatch && seen.handling !== 0 && seen.handling === state.handling;
  // A parked thread says nothing by its counts: whether callbacks run there is told by its event loop's idle time.
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

/** Since when it has not moved; undefined when that cannot be told. */
export function stillSince(state: WatchState): number | undefined {
  if (state.handling === 0 && !state.loopSeen) return undefined;
  return state.handling === 0 ? state.turningSinceMs : state.handlingSinceMs;
}

/** After how long of that its thread's waits for a core are counted. */
export function slowAfterMs(handlerTimeoutMs: number): number {
  return Math.min(SLOW_MS, handlerTimeoutMs * SLOW_SHARE);
}

/**
 * Judges a watched actor: undefined while it moves. For `starvedMs` of the time its thread could have run and had no core:
 * that is not its own. A thread that is blocked waits for no core, so that it is caught in time.
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
