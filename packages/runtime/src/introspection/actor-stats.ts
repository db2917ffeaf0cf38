import {
  floatAt,
  type HistogramReading,
  handlingName,
  LATENCY_HISTOGRAM,
  type NameTable,
  quantileMs,
  readHistogram,
  STREAM_ITEMS,
  STREAMS_OPEN,
} from "@mini-otp/worker-host/protocol/memory";
import type { GuardStats } from "../guard/watched.js";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";
import type { ActorStats } from "../stats/actor-stats.js";
import type { FullActorSpec } from "../supervision/child-spec.js";
import type { ProcessMeter } from "../threads/process-meter.js";
import type { ActorMeter } from "./actor-meter.js";

/** The part of an actor that its stats are read from. */
export interface Measured {
  readonly running: boolean;
  readonly suspended: boolean;
  readonly threadId: number | undefined;
  readonly incarnation: number;
  readonly mailbox: Mailbox;
  readonly slot: Slot;
  readonly spec: FullActorSpec;
  readonly meter: ActorMeter;
  readonly guardStats: GuardStats | undefined;
  readonly process: ProcessMeter | undefined;
  /** Of a partition: what waits in its members, past its ring. */
  within(): { readonly length: number; readonly bytes: number };
  /** Brings `meter` up to date with the counters in shared memory. */
  readMeter(): void;
}

export function statsOf(child: Measured, names: NameTable): ActorStats {
  const { running, suspended, threadId, incarnation, mailbox, spec, slot, guardStats, meter } = child;
  child.readMeter();
  const { heapMb, offHeapMb, silentMs, process } = measured(child);
  const { words } = slot.memory;
  const method = handlingName(names, words);
  const { length, bytes, capacityBytes } = mailbox.counts();
  const within = child.within();
  return {
    state: suspended ? "suspended" : running ? "running" : "stopped",
    incarnation,
    restarts: Math.max(0, incarnation - 1),
    mailbox: {
      length: length + within.length,
      bytes: bytes + within.bytes,
      capacityBytes,
      capacity: spec.mailbox.capacity,
      enqueued: meter.enqueued,
      handled: meter.handled,
      dropped: meter.lost.overflow,
      blockedMs: meter.blockedMs,
      oldestAgeMs: meter.oldestAgeMs(mailbox),
    },
    heapUsedMb: heapMb,
    heapCapMb: spec.heapCapMb,
    offHeapMb,
    silentMs,
    cpuMs: meter.cpuMs,
    ...(process === undefined ? {} : { process }),
    // Without a thread no stream is open; the word still holds the last thread's number.
    streams: { open: threadId === undefined ? 0 : words[STREAMS_OPEN], items: floatAt(words, STREAM_ITEMS) },
    // Without a thread nothing is handled; the word still holds the last thread's method.
    handling: method === "" || threadId === undefined ? null : { method, sinceMs: guardStats?.handlingMs ?? 0 },
    latency: latencyOf(readHistogram(words, LATENCY_HISTOGRAM)),
  };
}

const NOT_MEASURED = Object.freeze({ heapMb: 0, offHeapMb: 0, silentMs: 0 });

/** Of the process if there is to be one, even before it has started: never of the thread that stands for it. */
function measured({
  spec,
  guardStats,
  process,
}: Measured): Omit<GuardStats, "handlingMs"> & Pick<ActorStats, "process"> {
  if (spec.isolation !== "process") return guardStats ?? NOT_MEASURED;
  if (process === undefined) return NOT_MEASURED;
  const { pid, rssMb, heapMb, offHeapMb } = process.read();
  const silentMs = process.silentMs(guardStats?.handlingMs ?? 0);
  return { heapMb, offHeapMb, silentMs, process: { pid, rssMb } };
}

export function latencyOf(histogram: HistogramReading): ActorStats["latency"] {
  return { p50Ms: quantileMs(histogram, 0.5), p99Ms: quantileMs(histogram, 0.99), maxMs: histogram.maxMs };
}
