import { constants, PerformanceObserver } from "node:perf_hooks";

/** Calls `seen` for every full collection of this thread's heap that was asked for, from now on, with how long it took. */
export function onForcedCollection(seen: (tookMs: number) => void): void {
  new PerformanceObserver((list) => {
    type Entry = { duration: number; detail: { kind: number; flags: number } };
    for (const { detail, duration } of list.getEntries() as unknown as Entry[]) {
      const isForced = (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR && isForced) seen(duration);
    }
  }).observe({ entryTypes: ["gc"] });
}
