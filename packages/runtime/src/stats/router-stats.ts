import type { ActorStats } from "./actor-stats.js";

/**
 * The members' stats as one. Counts, memory and CPU are sums; `oldestAgeMs` and `silentMs` are those of the worst
 * member; `handling` is that of the member whose handler has run longest; `latency` is over the messages of all
 * members. `incarnation` is the router's own, `restarts` are its members'. The router is `suspended` when every running
 * member is. Members that have ended for good are in no sum.
 */
export interface RouterStats extends ActorStats {
  readonly size: number;
  /** By member; undefined for a member that has ended for good. */
  readonly members: readonly (ActorStats | undefined)[];
}
