import { HANDLING, type NameTable } from "@mini-otp/worker-host/protocol";
import type { ActorChild } from "./actor-child.js";

/** A snapshot read from shared memory: it answers for a hung actor too. */
export interface ActorStats {
  readonly state: "running" | "stopped";
  readonly incarnation: number;
  readonly restarts: number;
  readonly mailbox: {
    /** Messages accepted and not yet taken by a handler. */
    readonly length: number;
    readonly bytes: number;
    readonly capacity: number;
    readonly capacityBytes: number;
    readonly enqueued: number;
    readonly handled: number;
    readonly dropped: number;
    /** How long senders have waited for room, in sum. */
    readonly blockedMs: number;
  };
  /** As of the last time it was busy; 0 before it was ever looked at. */
  readonly heapUsedMb: number;
  readonly heapCapMb: number;
  readonly offHeapMb: number;
  /** For how long its thread has not let itself be looked at: it is inside one native operation. 0 when it does. */
  readonly silentMs: number;
  readonly handling: { readonly method: string; readonly sinceMs: number } | null;
}

export function statsOf(
  { running, incarnation, mailbox, spec, slot, guardReading }: ActorChild,
  names: NameTable,
): ActorStats {
  const method = names.name(slot.memory.words[HANDLING]);
  return {
    state: running ? "running" : "stopped",
    incarnation,
    restarts: Math.max(0, incarnation - 1),
    mailbox: {
      ...mailbox.counts(),
      capacity: spec.mailbox.capacity,
      dropped: mailbox.dropped,
      blockedMs: mailbox.blockedMs,
    },
    heapUsedMb: guardReading?.heapMb ?? 0,
    heapCapMb: spec.heapCapMb,
    offHeapMb: guardReading?.offHeapMb ?? 0,
    silentMs: guardReading?.silentMs ?? 0,
    handling: method === "" ? null : { method, sinceMs: guardReading?.handlingMs ?? 0 },
  };
}
