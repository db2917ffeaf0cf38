import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { DISPATCHES, HANDLER_LIMIT_MS, OS_THREAD, PARKED } from "@mini-otp/worker-host/protocol/memory";
import { type Caps, type MemorySample, sampleGapMs, UNSUSPECTED } from "./heap-judgement.js";
import type { ProbedThread } from "./probe.js";
import { threadTimes } from "./thread-cpu.js";
import { type Activity, judgeWatch, type Stuck, slowAfterMs, startWatch, stillSince, watch } from "./watchdog.js";

/** A thread as the guard sees it. */
export interface GuardedThread extends ProbedThread {
  /** How long its event loop has been idle, in ms since it started. Cheap, and answers for a busy thread. */
  loopIdleMs(): number;
}

/** The actor it runs. */
export interface GuardedActor {
  readonly id: string;
  readonly spec: Caps & { readonly handlerTimeoutMs: number };
  readonly running: boolean;
  kill(reason: ExitReason): void;
  /** Its memory, garbage included, as of now. */
  onSample?(memory: MemorySample): void;
}

/** What the guard knows about an actor. The memory is as of the last time it was busy. */
export interface GuardStats extends MemorySample {
  /** How long the thread has not answered a probe, because it is inside a native operation. 0 when no probe is open. */
  readonly silentMs: number;
  /** How long the guard has seen the current handler run. */
  readonly handlingMs: number;
}

/** An event loop that has run for longer than this between two looks has run callbacks. */
const CALLBACKS_RAN_MS = 1;
/**
 * The guard takes no samples of a thread this long after its start, unless its actor runs: it has little memory yet,
 * and the samples cost main 1 to 2 ms of the 3 to 4 that a start then takes there (Node 20).
 */
const STARTING_MS = 250;

/** One thread that the guard watches, and what it has seen of it. */
export class Watched {
  readonly thread: GuardedThread;
  readonly actor: GuardedActor;
  /** The slot of shared memory that the thread consumes. */
  readonly words: Int32Array;
  judgement = UNSUSPECTED;
  /** As of the last sample, with `unseenMb` included. */
  memory: MemorySample = { heapMb: 0, offHeapMb: 0 };
  /** When the open probe was sent; 0 when no probe is open. */
  probingSinceMs = 0;
  sampledAtMs = Number.NEGATIVE_INFINITY;
  /** The time from one sample to the next. */
  gapMs: number;
  killed = false;
  /** How often it ran when the guard looked, since the budget was last checked. */
  ran = 0;
  /** At the last full look it slept, and nothing could run callbacks there. */
  asleep = false;
  readonly #intervalMs: number;
  readonly #sinceMs: number;
  #unseenMb = 0;
  #watch;
  #idleMs = 0;
  #idleAtMs: number;
  /** How long its thread had waited for a core when the guard first saw that it was slow. */
  #slow: { readonly sinceMs: number; readonly delayedMs: number } | undefined;

  constructor(
    thread: GuardedThread,
    actor: GuardedActor,
    words: Int32Array,
    nowMs: number,
    watchMs: number,
    intervalMs: number,
  ) {
    this.thread = thread;
    this.actor = actor;
    this.words = words;
    this.#intervalMs = intervalMs;
    this.#watch = startWatch(watchMs);
    this.gapMs = sampleGapMs(this.memory, actor.spec, intervalMs);
    this.#idleAtMs = this.#sinceMs = nowMs;
  }

  /** A sample was over a cap, and none was under the caps since. */
  get isSuspect(): boolean {
    return this.judgement.over !== undefined;
  }

  /** Its thread was started a moment ago, and its actor does not run yet. */
  isStarting(nowMs: number): boolean {
    return !this.actor.running && nowMs - this.#sinceMs < STARTING_MS;
  }

  /** Memory that the thread itself has counted, garbage included, because no probe can see it. */
  countUnseen(unseenMb: number): void {
    this.#unseenMb = unseenMb;
    this.#setGap();
  }

  takeSample(heapMb: number, offHeapMb: number, unseenMb = this.#unseenMb): MemorySample {
    this.#unseenMb = unseenMb;
    this.memory = { heapMb, offHeapMb: offHeapMb + unseenMb };
    this.#setGap();
    this.actor.onSample?.(this.memory);
    return this.memory;
  }

  #setGap(): void {
    const { heapMb, offHeapMb } = this.memory;
    const seen = { heapMb, offHeapMb: Math.max(offHeapMb, this.#unseenMb) };
    this.gapMs = sampleGapMs(seen, this.actor.spec, this.#intervalMs);
  }

  /**
   * Asks the event loop how long it has been idle. `ranCallbacks` says whether it has run callbacks since it was last
   * asked.
   */
  askLoop(): { readonly idleMs: number; readonly ranCallbacks: boolean } {
    const idleMs = this.thread.loopIdleMs();
    // Not the time of the round, which in a round over hundreds of threads is some milliseconds ago, and not always as
    // many.
    const atMs = performance.now();
    const ranMs = atMs - this.#idleAtMs - (idleMs - this.#idleMs);
    this.#idleMs = idleMs;
    this.#idleAtMs = atMs;
    return { idleMs, ranCallbacks: ranMs > CALLBACKS_RAN_MS };
  }

  /** Adds a look, and judges. `watchMs` is the time of the watchdog's own clock. */
  look(seen: Activity, watchMs: number): Stuck | undefined {
    this.#watch = watch(this.#watch, seen, watchMs);
    // Of a partition: its member's.
    const handlerTimeoutMs = this.words[HANDLER_LIMIT_MS] || this.actor.spec.handlerTimeoutMs;
    const sinceMs = stillSince(this.#watch);
    if (sinceMs === undefined || watchMs - sinceMs < slowAfterMs(handlerTimeoutMs)) return undefined;
    const delayedMs = (): number => threadTimes(this.words[OS_THREAD])?.delayedMs ?? 0;
    // Read once for each time that the thread stands still, which is seldom.
    if (this.#slow?.sinceMs !== sinceMs) this.#slow = { sinceMs, delayedMs: delayedMs() };
    if (watchMs - sinceMs < handlerTimeoutMs) return undefined;
    return judgeWatch(this.#watch, handlerTimeoutMs, watchMs, delayedMs() - this.#slow.delayedMs);
  }

  /** Starts to measure anew, because nothing is known about the time before. */
  restartWatch(watchMs: number): void {
    this.#watch = startWatch(watchMs);
  }

  stats(nowMs: number, watchMs: number, roundMs: number): GuardStats {
    const { probingSinceMs, words } = this;
    const { dispatches, handling, handlingSinceMs } = this.#watch;
    // A sleeper answers when it wakes up.
    const isSilent = probingSinceMs !== 0 && Atomics.load(words, PARKED) === 0;
    // The dispatch of the last look may be over, and another may have begun.
    const isHandling = handling !== 0 && words[DISPATCHES] === dispatches;
    return {
      ...this.memory,
      silentMs: isSilent ? nowMs - probingSinceMs : 0,
      handlingMs: isHandling ? watchMs - handlingSinceMs + (nowMs - roundMs) : 0,
    };
  }
}
