import type { ActorError } from "../errors/errors.js";
import type { SlotMemory } from "../memory/segments.js";
import type { OverflowPolicy } from "../memory/slot-descriptor.js";
import type { Parcel } from "../port/messages.js";
import type { Connection } from "../refs/actor-ref.js";
import type { Payload } from "../ring/payload.js";
import type { RingWriter } from "../ring/ring-writer.js";
import type { CallsTo } from "./calls-to.js";
import type { PendingCall } from "./pending-calls.js";
import type { Queue } from "./queue.js";

/** What stands for a light actor behind the arguments of its messages: cell and generation in one number, or its id. */
export type MemberTarget = number | string;

/** What is a light actor's own in a connection: the rest is its partition's. */
export interface MemberLine {
  /** Where to wait for room: a doorbell in `table`, at word `space`. */
  readonly table: Int32Array;
  readonly space: number;
  readonly capacity: number;
  readonly capacityBytes: number;
  /** An overflow policy has dropped a message to it. */
  countDropped(): void;
  /** Before a message waits in `unsent`. */
  openLine(): void;
  /** Takes room in the cell, and sends by the partition's ring; what the ring refuses gives the room back. */
  push(kind: number, method: number, correlation: number, address: number, uid: number, payload: Payload): number;
}

/** The slot in which this thread receives replies. */
export interface Self {
  readonly address: number;
  readonly uid: number;
  readonly memory: SlotMemory;
}

/** The connection of one thread to one slot. */
export interface Peer extends Connection {
  readonly address: number;
  readonly uid: number;
  readonly words: Int32Array;
  readonly mailbox: RingWriter;
  readonly system: RingWriter;
  readonly overflow: OverflowPolicy;
  readonly blockTimeoutMs: number;
  /** See LEAVES_WITH. */
  readonly leavesWith: number;
  /** Messages of this thread that wait for room; later ones queue behind them. Main only. */
  readonly unsent: Queue<Unsent>;
  /** A light actor's connection, itself; undefined for a slot's. */
  readonly member: MemberLine | undefined;
  /** What messages to a light actor have behind their arguments. */
  readonly target: MemberTarget | undefined;
  /** True when this thread's bit in the slot's set of callers is set. */
  knownAsCaller: boolean;
  /** This thread's open calls to the slot, kept by `PendingCalls`. */
  calls: CallsTo<PendingCall> | undefined;
}

/** A message that found its mailbox full. */
export interface Unsent {
  readonly peer: Peer;
  readonly kind: number;
  readonly method: number;
  readonly correlation: number;
  readonly payload: Payload;
  readonly parcel: Parcel | undefined;
  /** When to give up with ERR_MAILBOX_FULL, in `performance.now` time. */
  readonly deadline: number;
  /** False once the call has timed out or was aborted. */
  wanted(): boolean;
  accepted(seq: number): void;
  refused(error: ActorError): void;
}
