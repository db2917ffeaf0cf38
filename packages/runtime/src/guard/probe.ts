import { Worker } from "node:worker_threads";
import type { MemorySample } from "./heap-judgement.js";

/** The part of V8's heap statistics that the guard uses, in bytes. */
export interface HeapStatistics {
  readonly used_heap_size: number;
  readonly external_memory: number;
}

/** Node 22.16 and later. */
export const HAS_HEAP_STATISTICS = "getHeapStatistics" in Worker.prototype;

/** A thread as a probe sees it. */
export interface ProbedThread {
  readonly threadId: number;
  /** Runs `ask`, which asks the thread something through the inspector, unless the thread is ending. */
  ask<T>(ask: () => T): T | undefined;
  /** Node's own heap statistics of a worker, where it has them (22.16 and later). */
  heapStatistics(): Promise<HeapStatistics> | undefined;
}

/** The result of a probe. `offHeapMb` is what V8 counts. */
export interface ProbedMemory extends MemorySample {
  /** Memory that the thread counts itself, because V8 does not. Undefined when the thread was not asked. */
  readonly unseenMb?: number;
}

/**
 * Reads the memory of a thread that may be busy. The answer comes when the thread can be interrupted, so a thread
 * inside a native operation answers late. Undefined: no usable answer, for example because the thread is ending.
 */
export interface MemoryProbe {
  sample(thread: ProbedThread): Promise<ProbedMemory | undefined>;
  /** True when `collect` works on this thread. */
  canCollect(thread: ProbedThread): boolean;
  /**
   * Collects the thread's garbage until it is within `limits` or nothing more can be freed. The memory that is left is
   * read before the thread goes on.
   */
  collect(thread: ProbedThread, limits: MemorySample): Promise<ProbedMemory | undefined>;
}

export const BYTES_PER_MB = 1024 * 1024;
