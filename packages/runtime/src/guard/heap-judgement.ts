import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";

/*
 * Whether an actor is over its caps. A single sample says little: an actor that keeps 30 MiB alive may be seen
 * at 150 MiB, most of it garbage that V8 is in no hurry to collect. So what is over a cap is collected, and
 * what is left after the collection is judged. Where a collection cannot be had, what never fell under the
 * cap for a while is.
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
  /** No collection before: each stops the actor, and must not become most of what it does. */
  readonly collectFromMs: number;
  /** After the first, V8's own limit is far above the cap, and no marking of V8's is under way. */
  readonly collections: number;
  /** Since when no sample was under the caps, and the least that was seen meanwhile. */
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

/**
 * What a thread that runs an empty actor uses of its heap, after a collection: 5.5 MiB on Node 20, 7.4 on Node 24.
 * The cap is what the actor may use beside it.
 */
export const BARE_THREAD_MB = 8;
/** Without a collection: how long a heap may stay over its cap before it counts as alive. */
const STAYS_MS = 400;
/** The first collection comes when an actor is half way to its cap. */
const PRIME_SHARE = 0.5;
/** A collected actor is left alone for three times what the collection took, so that it keeps most of its time. */
const REST_FACTOR = 3;
/** Unless it came close to its cap. */
const CLOSE_SHARE = 0.85;
const MIN_REST_MS = 50;
/** Together with a collection of 200 ms, less than the 500 ms within which a leak is ended. */
const MAX_REST_MS = 300;

/**
 * Of an actor below half of its caps at most every fourth interval is used: on Node 20 a sample takes 0.5 ms of main's
 * time and 0.1 ms of the actor's. With longer gaps near the cap a leak grows so far between two samples that taking the
 * thread down, which main waits for, takes 100 ms.
 */
const CALM_SHARE = 0.5;
const CALM_INTERVALS = 4;
/** A gap may be longer by what an actor needs to get half way to its caps when it grows by 2 GiB/s, in buffers by 10. */
const HEAP_MB_PER_MS = 2;
const OFF_HEAP_MB_PER_MS = 10;
const MAX_EXTRA_MS = 30;

const FINE: Verdict = { kind: "fine" };

/** Judges what was seen of a running actor. */
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
 * Judges what a collection has left, which took from `startedMs` to `nowMs`. The first, half way to the cap, is
 * followed by no rest, and the second by a short one: a leak would grow far over its cap meanwhile, and the time that
 * the next collection takes grows with it.
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

/** How long after this sample the next is due. */
export function sampleGapMs({ heapMb, offHeapMb }: MemorySample, caps: Caps, intervalMs: number): number {
  const heapMs = (CALM_SHARE * caps.heapCapMb - heapMb) / HEAP_MB_PER_MS;
  const offHeapMs = (CALM_SHARE * caps.offHeapCapMb - offHeapMb) / OFF_HEAP_MB_PER_MS;
  const leftMs = Math.min(heapMs, offHeapMs);
  return leftMs <= 0 ? intervalMs : CALM_INTERVALS * intervalMs + Math.min(leftMs, MAX_EXTRA_MS);
}

/** The most that may be left after a collection. */
export function limits({ heapCapMb, offHeapCapMb }: Caps): MemorySample {
  return { heapMb: heapCapMb + BARE_THREAD_MB, offHeapMb: offHeapCapMb };
}

/** The reason to end an actor that uses this much, if there is one. */
function overCap(caps: Caps, { heapMb, offHeapMb }: MemorySample): ExitReason | undefined {
  const { heapCapMb, offHeapCapMb } = caps;
  if (heapMb > limits(caps).heapMb) return { kind: "heap_cap_exceeded", heapCapMb, usedMb: heapMb };
  if (offHeapMb > offHeapCapMb) return { kind: "off_heap_cap_exceeded", offHeapCapMb, usedMb: offHeapMb };
  return undefined;
}
