import { GUARD_HOOK } from "@mini-otp/worker-host/protocol/port";
import type { MemorySample } from "./heap-judgement.js";
import { BYTES_PER_MB, type MemoryProbe, type ProbedMemory, type ProbedThread } from "./probe.js";
import { WorkerInspector } from "./worker-inspector.js";

/** One for the process, because each session attaches to every worker. Null when there is no inspector. */
let shared: WorkerInspector | null | undefined;

/** The first call attaches to all workers. Null where there is no inspector. */
export function sharedInspector(): WorkerInspector | null {
  if (shared !== undefined) return shared;
  try {
    shared = new WorkerInspector();
  } catch {
    shared = null;
  }
  return shared;
}

/** The functions that a thread has for main's inspector: see worker-host's prelude. */
export const HOOK = `globalThis[Symbol.for(${JSON.stringify(GUARD_HOOK)})]`;

/**
 * Reads a worker's memory through the inspector. On Node 20 it is the only way, and on every version the only way to a
 * collection.
 */
export class InspectorProbe implements MemoryProbe {
  async sample(thread: ProbedThread): Promise<ProbedMemory | undefined> {
    return parse(await this.#evaluate(thread, `${HOOK}.memory()`));
  }

  /** The first call attaches to the workers, which takes a moment: false until then. */
  canCollect({ threadId }: ProbedThread): boolean {
    return sharedInspector()?.reaches(threadId) === true;
  }

  async collect(thread: ProbedThread, limits: MemorySample): Promise<ProbedMemory | undefined> {
    const heapBytes = limits.heapMb * BYTES_PER_MB;
    const offHeapBytes = limits.offHeapMb * BYTES_PER_MB;
    return parse(await this.#evaluate(thread, `${HOOK}.collect(${heapBytes}, ${offHeapBytes})`));
  }

  #evaluate(thread: ProbedThread, expression: string): Promise<unknown> | undefined {
    return thread.ask(() => sharedInspector()?.evaluate(thread.threadId, expression));
  }
}

/** `heap bytes,off-heap bytes,unseen bytes`. */
function parse(answer: unknown): ProbedMemory | undefined {
  if (typeof answer !== "string") return undefined;
  const [heapMb, offHeapMb, unseenMb] = answer.split(",").map((bytes) => Number(bytes) / BYTES_PER_MB);
  return heapMb > 0 && offHeapMb >= 0 && unseenMb >= 0 ? { heapMb, offHeapMb, unseenMb } : undefined;
}
