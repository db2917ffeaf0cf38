import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { type Judgement, judgeCollected, judgeSample, limits } from "./heap-judgement.js";
import type { MainHeap } from "./main-heap.js";
import { HAS_HEAP_STATISTICS, type MemoryProbe } from "./probe.js";
import { InspectorProbe } from "./probe-inspector.js";
import { NativeProbe } from "./probe-native.js";
import type { GuardedThread, Watched } from "./watched.js";

/** A timer may fire this much before its time. */
const EARLY_MS = 1;

/**
 * Samples the memory of watched threads, has their garbage collected when a sample is over a cap, and judges what is
 * left.
 */
export class MemoryCheck {
  readonly #probe: MemoryProbe = HAS_HEAP_STATISTICS ? new NativeProbe() : new InspectorProbe();
  readonly #mainHeap: MainHeap;
  readonly #isWatched: (watched: Watched) => boolean;
  readonly #overCap: (watched: Watched, reason: ExitReason) => void;

  /** `overCap` is called for an actor that has to be ended. */
  constructor(
    mainHeap: MainHeap,
    isWatched: (watched: Watched) => boolean,
    overCap: (watched: Watched, reason: ExitReason) => void,
  ) {
    this.#mainHeap = mainHeap;
    this.#isWatched = isWatched;
    this.#overCap = overCap;
  }

  /** Attaches the inspector early, because a thread that allocates while it is being attached to answers late. */
  attach(thread: GuardedThread): void {
    this.#probe.canCollect(thread);
  }

  /** Takes a sample, unless one is under way or the next is not due. */
  async sample(watched: Watched, nowMs: number): Promise<void> {
    if (watched.probingSinceMs !== 0) return;
    if (watched.isStarting(nowMs)) return;
    if (nowMs - watched.sampledAtMs < watched.gapMs - EARLY_MS) return;
    watched.sampledAtMs = nowMs;
    watched.probingSinceMs = nowMs;
    const sample = await this.#probe.sample(watched.thread);
    if (!this.#answered(watched)) return;
    // Answering the probe runs the event loop. If that were taken for callbacks of the actor, the guard would never
    // come to rest.
    watched.askLoop();
    if (sample === undefined) return;
    const seen = watched.takeSample(sample.heapMb, sample.offHeapMb, sample.unseenMb);
    const canCollect = this.#probe.canCollect(watched.thread);
    this.#conclude(watched, judgeSample(watched.judgement, watched.actor.spec, seen, performance.now(), canCollect));
  }

  async #collect(watched: Watched): Promise<void> {
    this.#mainHeap.beforeCollection();
    const startedMs = performance.now();
    watched.probingSinceMs = startedMs;
    const left = await this.#probe.collect(watched.thread, limits(watched.actor.spec));
    if (!this.#answered(watched) || left === undefined) return;
    const seen = watched.takeSample(left.heapMb, left.offHeapMb, left.unseenMb);
    const { judgement, actor } = watched;
    this.#conclude(watched, judgeCollected(judgement, actor.spec, seen, startedMs, performance.now()));
  }

  /** False when the answer comes too late to matter. */
  #answered(watched: Watched): boolean {
    watched.probingSinceMs = 0;
    return !watched.killed && this.#isWatched(watched);
  }

  #conclude(watched: Watched, { state, verdict }: Judgement): void {
    watched.judgement = state;
    if (verdict.kind === "over_cap") this.#overCap(watched, verdict.reason);
    else if (verdict.kind === "collect") void this.#collect(watched);
  }
}
