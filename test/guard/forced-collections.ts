import { constants, PerformanceObserver } from "node:perf_hooks";

/** Calls `seen` for every full collection of this thread's heap that was asked for, from now on. */
export function onForcedCollection(seen: () => void): void {
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as unknown as { detail: { kind: number; flags: number } }[]) {
      const isForced = (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR && isForced) seen();
    }
  }).observe({ entryTypes: ["gc"] });
}
