import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { BARE_THREAD_MB } from "@mini-otp/worker-host/protocol/port";

/*
 * Decides whether an actor is over its caps. A single sample says little: an actor that keeps 30 MiB alive may be seen
 * at 150 MiB, most of it garbage that V8 has not collected yet. So when a sample is over a cap, the guard has the
 * garbage collected, and judges the memory that is left. Where it cannot collect, it judges the lowest sample of a
 * period in which no sample was under the cap.
 */

export interface Caps {
  readonly heapCapMb: number;
  readonly offHeapCapMb: number;
}

export interface MemorySample {
  readonly heapMb: number;
  /** ArrayBuffers, wasm memory, external strings. */
  readonly offHeapMb: number;
}

export interface JudgementState {
  /** No collection before this time. Each one stops the actor, and must not take most of its time. */
  readonly collectFromMs: number;
  /**
   * How many there were. After the first, V8's own limit is far above the cap, and V8 is not in the middle of a
   * marking.
   */
  readonly collections: number;
  /** Set while no sample is under the caps: since when, and the lowest numbers seen. */
  readonly over: (MemorySample & { readonly sinceMs: number }) | undefined;
}

export type Verdict =
  | { readonly kind: "fine" }
  /** Collect garbage, then judge again. */
  | { readonly kind: "collect" }
  | { readonly kind: "over_cap"; readonly reason: ExitReason };

export interface Judgement {
  readonly state: JudgementState;
  readonly verdict: Verdict;
}

export const UNSUSPECTED: JudgementState = { collectFromMs: 0, collections: 0, over: undefined };

/** Without a collection: memory that stays over its cap for this long is taken for alive. */
const STAYS_MS = 400;
/** The share of the cap at which an actor is collected for the first time. */
const PRIME_SHARE = 0.5;
/** After a collection there is none for three times as long as it took, so that the actor keeps most of its time. */
const REST_FACTOR = 3;
/** An actor that is left this close to its cap gets only the shortest rest. */
const CLOSE_SHARE = 0.85;
const MIN_REST_MS = 50;
/** With a collection of 200 ms this is within the 500 ms in which a leak has to be ended. */
const MAX_REST_MS = 300;

/**
 * An actor below half of its caps is sampled at every fourth interval at most, because on Node 20 a sample takes 0.5 ms
 * of main's time and 0.1 ms of the actor's. Near the cap the gap must stay short: otherwise a leak grows so far between
 * two samples that ending the thread, which main waits for, takes 100 ms.
 */
const CALM_SHARE = 0.5;
const CALM_INTERVALS = 4;
/**
 * A gap may be longer by the time that an actor needs to reach half of its caps when its heap grows by 2 GiB/s and its
 * buffers by 10 GiB/s.
 */
const HEAP_MB_PER_MS = 2;
const OFF_HEAP_MB_PER_MS = 10;
const MAX_EXTRA_MS = 30;

const FINE: Verdict = { kind: "fine" };

/** Judges a sample of a running actor. */
export function judgeSample(
  state: JudgementState,
  caps: Caps,
  sample: MemorySample,
  nowMs: number,
  canCollect: boolean,
): Judgement {
  if (overCap(caps, sample) === undefined) {
    if (canCollect && state.collections === 0 && sample.heapMb > limits(caps).heapMb * PRIME_SHARE) {
      return { state, verdict: { kind: "collect" } };
    }
    return { state: state.over === undefined ? state : { ...state, over: undefined }, verdict: FINE };
  }
  const over = {
    sinceMs: state.over?.sinceMs ?? nowMs,
    heapMb: Math.min(sample.heapMb, state.over?.heapMb ?? Infinity),
    offHeapMb: Math.min(sample.offHeapMb, state.over?.offHeapMb ?? Infinity),
  };
  const next = { ...state, over };
  if (canCollect) {
    return { state: next, verdict: nowMs >= state.collectFromMs ? { kind: "collect" } : FINE };
  }
  const reason = nowMs - over.sinceMs >= STAYS_MS ? overCap(caps, over) : undefined;
  return { state: next, verdict: reason === undefined ? FINE : { kind: "over_cap", reason } };
}

/**
 * Judges the memory that is left after a collection, which took from `startedMs` to `nowMs`. The first collection, half
 * way to the cap, is followed by no rest, and the second by a short one. With longer rests a leak would grow far over
 * its cap, and the next collection would take longer too.
 */
export function judgeCollected(
  { collections }: JudgementState,
  caps: Caps,
  left: MemorySample,
  startedMs: number,
  nowMs: number,
): Judgement {
  const reason = overCap(caps, left);
  const { heapMb, offHeapMb } = limits(caps);
  const isClose = left.heapMb > heapMb * CLOSE_SHARE || left.offHeapMb > offHeapMb * CLOSE_SHARE;
  const longRestMs = Math.min(MAX_REST_MS, Math.max(MIN_REST_MS, REST_FACTOR * (nowMs - startedMs)));
  const restMs = collections === 0 ? 0 : isClose || collections === 1 ? MIN_REST_MS : longRestMs;
  return {
    state: { collectFromMs: nowMs + restMs, collections: collections + 1, over: undefined },
    verdict: reason === undefined ? FINE : { kind: "over_cap", reason },
  };
}

/** The time from this sample to the next. */
export function sampleGapMs({ heapMb, offHeapMb }: MemorySample, caps: Caps, intervalMs: number): number {
  const heapMs = (CALM_SHARE * caps.heapCapMb - heapMb) / HEAP_MB_PER_MS;
  const offHeapMs = (CALM_SHARE * caps.offHeapCapMb - offHeapMb) / OFF_HEAP_MB_PER_MS;
  const leftMs = Math.min(heapMs, offHeapMs);
  return leftMs <= 0 ? intervalMs : CALM_INTERVALS * intervalMs + Math.min(leftMs, MAX_EXTRA_MS);
}

/** The most memory that may be left after a collection. */
export function limits({ heapCapMb, offHeapCapMb }: Caps): MemorySample {
  return { heapMb: heapCapMb + BARE_THREAD_MB, offHeapMb: offHeapCapMb };
}

/** The exit reason for an actor that uses this much, if it is over a cap. */
function overCap(caps: Caps, { heapMb, offHeapMb }: MemorySample): ExitReason | undefined {
  const { heapCapMb, offHeapCapMb } = caps;
  if (heapMb > limits(caps).heapMb) return { kind: "heap_cap_exceeded", heapCapMb, usedMb: heapMb };
  if (offHeapMb > offHeapCapMb) return { kind: "off_heap_cap_exceeded", offHeapCapMb, usedMb: offHeapMb };
  return undefined;
}
