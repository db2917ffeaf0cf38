import type { NameTable } from "@mini-otp/worker-host/protocol/memory";
import { handlingName } from "@mini-otp/worker-host/protocol/memory";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { Slot } from "../mailbox/slots.js";

/** An actor's last moments, as far as they are known: for the diagnosis of its end. */
export interface LastSeen {
  /** The method it was in, if it was in one. */
  readonly lastMethod?: string;
  /** Messages that were waiting in its mailbox. */
  readonly queueLength?: number;
  readonly heapCapMb?: number;
  /** When the guard looked last, if it did; so of an actor that was never busy there are none. */
  readonly heapUsedMb?: number;
  readonly offHeapMb?: number;
}

interface Ended {
  readonly slot: Slot;
  readonly mailbox: Mailbox;
  readonly spec: { readonly heapCapMb: number };
}

/** Of an actor whose thread has exited, before it is started again. */
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
