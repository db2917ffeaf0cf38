import {
  type HistogramReading,
  handlingName,
  LATENCY_HISTOGRAM,
  type NameTable,
  quantileMs,
  readHistogram,
} from "@mini-otp/worker-host/protocol/memory";
import type { GuardReading } from "../guard/guard.js";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { ActorStats } from "../stats/actor-stats.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import type { ActorTotals } from "./actor-totals.js";

/** The part of an actor that its stats are read from. */
export interface Measured {
  readonly running: boolean;
  readonly suspended: boolean;
  readonly threadId: number | undefined;
  readonly incarnation: number;
  readonly mailbox: Mailbox;
  readonly slot: Slot;
  readonly spec: FullActorSpec;
  readonly totals: ActorTotals;
  readonly guardReading: GuardReading | undefined;
  /** Brings `totals` up to date with the counters in shared memory. */
  readTotals(): void;
}

export function statsOf(child: Measured, names: NameTable): ActorStats {
  const { running, suspended, threadId, incarnation, mailbox, spec, slot, guardReading, totals } = child;
  child.readTotals();
  const { words } = slot.memory;
  const method = handlingName(names, words);
  return {
    state: suspended ? "suspended" : running ? "running" : "stopped",
    incarnation,
    restarts: Math.max(0, incarnation - 1),
    mailbox: {
      ...mailbox.counts(),
      capacity: spec.mailbox.capacity,
      enqueued: totals.enqueued,
      handled: totals.handled,
      dropped: totals.lost.overflow,
      blockedMs: totals.blockedMs,
      oldestAgeMs: totals.oldestAgeMs(mailbox),
    },
    heapUsedMb: guardReading?.heapMb ?? 0,
    heapCapMb: spec.heapCapMb,
    offHeapMb: guardReading?.offHeapMb ?? 0,
    silentMs: guardReading?.silentMs ?? 0,
    cpuMs: totals.cpuMs,
    // Without a thread nothing is handled; the word still holds the last thread's method.
    handling: method === "" || threadId === undefined ? null : { method, sinceMs: guardReading?.handlingMs ?? 0 },
    latency: latencyOf(readHistogram(words, LATENCY_HISTOGRAM)),
  };
}

export function latencyOf(reading: HistogramReading): ActorStats["latency"] {
  return { p50Ms: quantileMs(reading, 0.5), p99Ms: quantileMs(reading, 0.99), maxMs: reading.maxMs };
}
