import type { MemorySample } from "./heap-judgement.js";
import { BYTES_PER_MB, type MemoryProbe, type ProbedMemory, type ProbedThread } from "./probe.js";
import { InspectorProbe } from "./probe-inspector.js";

/** Reads a worker's memory by `worker.getHeapStatistics()`: Node 22.16 and later. */
export class NativeProbe implements MemoryProbe {
  readonly #inspector = new InspectorProbe();

  async sample(thread: ProbedThread): Promise<ProbedMemory | undefined> {
    try {
      const statistics = await thread.heapStatistics();
      if (statistics === undefined) return undefined;
      return {
        heapMb: statistics.used_heap_size / BYTES_PER_MB,
        offHeapMb: statistics.external_memory / BYTES_PER_MB,
      };
    } catch {
      // ERR_WORKER_NOT_RUNNING: the worker has just ended.
      return undefined;
    }
  }

  canCollect(thread: ProbedThread): boolean {
    return this.#inspector.canCollect(thread);
  }

  collect(thread: ProbedThread, limits: MemorySample): Promise<ProbedMemory | undefined> {
    return this.#inspector.collect(thread, limits);
  }
}
