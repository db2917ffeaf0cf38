import type { NameTable } from "@mini-otp/worker-host/protocol/memory";
import { handlingName } from "@mini-otp/worker-host/protocol/memory";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";

/** What is known of an actor's last moments, to diagnose its end. */
export interface LastSeen {
  /** The method that it was handling, if any. */
  readonly lastMethod?: string;
  /** How many messages waited in its mailbox. */
  readonly queueLength?: number;
  readonly heapCapMb?: number;
  /** As of the guard's last sample. Absent for an actor that was never busy, because the guard took none. */
  readonly heapUsedMb?: number;
  readonly offHeapMb?: number;
}

interface Ended {
  readonly slot: Slot;
  readonly mailbox: Mailbox;
  readonly spec: { readonly heapCapMb: number };
}

/** For an actor whose thread has exited and that has not been started again. */
export function lastSeen(
  { slot, mailbox, spec }: Ended,
  memory: { readonly heapMb: number; readonly offHeapMb: number } | undefined,
  names: NameTable,
): LastSeen {
  const lastMethod = handlingName(names, slot.memory.words);
  return {
    ...(lastMethod === "" ? {} : { lastMethod }),
    queueLength: mailbox.counts().length,
    heapCapMb: spec.heapCapMb,
    ...(memory === undefined || memory.heapMb === 0 ? {} : { heapUsedMb: memory.heapMb, offHeapMb: memory.offHeapMb }),
  };
}
