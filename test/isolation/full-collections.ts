import { constants, PerformanceObserver } from "node:perf_hooks";

/** Calls `seen` for every full collection of this thread's heap from now on. */
export function onFullCollection(seen: (isForced: boolean) => void): void {
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as unknown as { detail: { kind: number; flags: number } }[]) {
      if (detail.kind !== constants.NODE_PERFORMANCE_GC_MAJOR) continue;
      seen((detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0);
    }
  }).observe({ entryTypes: ["gc"] });
}

/** The same for those that were asked for. */
export function onForcedCollection(seen: () => void): void {
  onFullCollection((isForced) => {
    if (isForced) seen();
  });
}
