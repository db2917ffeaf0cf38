import {
  BUCKETS,
  type HistogramReading,
  LATENCY_HISTOGRAM,
  type NameTable,
  readHistogram,
} from "@mini-otp/worker-host/protocol/memory";
import type { ActorChild } from "../actor/actor-child.js";
import { latencyOf, statsOf } from "../introspection/actor-stats.js";
import type { ActorStats } from "../stats/actor-stats.js";
import type { RouterStats } from "../stats/router-stats.js";

interface RouterFacts {
  readonly running: boolean;
  readonly incarnation: number;
  readonly members: readonly (ActorChild | undefined)[];
}

export function routerStatsOf({ running, incarnation, members }: RouterFacts, names: NameTable): RouterStats {
  const present = members.filter((member) => member !== undefined);
  const stats = members.map((member) => (member === undefined ? undefined : statsOf(member, names)));
  const known = stats.filter((one) => one !== undefined);
  const sum = (of: (one: ActorStats) => number): number => known.reduce((total, one) => total + of(one), 0);
  const most = (of: (one: ActorStats) => number): number => known.reduce((max, one) => Math.max(max, of(one)), 0);
  const handled = known.flatMap(({ handling }) => (handling === null ? [] : [handling]));
  const histograms = present.map(({ slot }) => readHistogram(slot.memory.words, LATENCY_HISTOGRAM));
  return {
    state: running ? stateOf(known) : "stopped",
    incarnation,
    restarts: sum(({ restarts }) => restarts),
    mailbox: {
      length: sum(({ mailbox }) => mailbox.length),
      bytes: sum(({ mailbox }) => mailbox.bytes),
      capacity: sum(({ mailbox }) => mailbox.capacity),
      capacityBytes: sum(({ mailbox }) => mailbox.capacityBytes),
      enqueued: sum(({ mailbox }) => mailbox.enqueued),
      handled: sum(({ mailbox }) => mailbox.handled),
      dropped: sum(({ mailbox }) => mailbox.dropped),
      blockedMs: sum(({ mailbox }) => mailbox.blockedMs),
      oldestAgeMs: most(({ mailbox }) => mailbox.oldestAgeMs),
    },
    heapUsedMb: sum(({ heapUsedMb }) => heapUsedMb),
    heapCapMb: sum(({ heapCapMb }) => heapCapMb),
    offHeapMb: sum(({ offHeapMb }) => offHeapMb),
    silentMs: most(({ silentMs }) => silentMs),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    streams: { open: sum(({ streams }) => streams.open), items: sum(({ streams }) => streams.items) },
    handling: handled.reduce<ActorStats["handling"]>((a, b) => (a !== null && a.sinceMs >= b.sinceMs ? a : b), null),
    latency: latencyOf(together(histograms)),
    size: members.length,
    members: stats,
  };
}

function stateOf(members: readonly ActorStats[]): ActorStats["state"] {
  const running = members.filter(({ state }) => state !== "stopped");
  return running.length > 0 && running.every(({ state }) => state === "suspended") ? "suspended" : "running";
}

function together(histograms: readonly HistogramReading[]): HistogramReading {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const histogram of histograms) {
    for (let bucket = 0; bucket < BUCKETS; bucket++) counts[bucket] += histogram.counts[bucket];
  }
  const sumMs = histograms.reduce((sum, histogram) => sum + histogram.sumMs, 0);
  return { counts, sumMs, maxMs: Math.max(0, ...histograms.map(({ maxMs }) => maxMs)) };
}
