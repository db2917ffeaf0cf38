import type { ActorStats } from "./actor-stats.js";

/**
 * The members' numbers as one: counts, memory and CPU in sum, `oldestAgeMs` and `silentMs` of the worst, `handling` of
 * who has been at it for longest, `latency` over all their messages. `incarnation` is the router's own, `restarts` are
 * its members'. It is `suspended` when every member that runs is. Members that are gone are in no sum.
 */
export interface RouterStats extends ActorStats {
  readonly size: number;
  /** By member; undefined of one that has ended for good. */
  readonly members: readonly (ActorStats | undefined)[];
}
