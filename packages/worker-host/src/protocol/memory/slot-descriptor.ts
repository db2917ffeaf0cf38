/*
 * A slot: the shared memory of one actor. It outlives the actor's threads: every incarnation consumes the same mailbox.
 * Word indexes below are in int32 units from the slot's first byte. Words that different threads write stand on lines
 * of their own (128 bytes: two cache lines, because adjacent-line prefetch loads them in pairs).
 *
 *   word
 *      0  identity      uid and state · slot bytes · policy (written by main before the slot is open)
 *     32  mailbox lane  ┐
 *    160  system lane   ┘ four lines each, see below
 *    288  doorbell      the consumer's parked flag · control flag
 *    320  activity      what the consumer is doing, see consumer-state.ts (written by the consumer)
 *    352  counters      written by producers under the mailbox lock, or by the consumer where named so
 *    384  callers       bit set of the endpoints that have called this actor, in any incarnation
 *    512  peers         bit set of the endpoints that this slot's threads have sent to
 *    640  meters        what the consumer measures of itself: histograms, see below (written by the consumer)
 *   1024  data          mailbox ring, system ring, and for drop_oldest the in-flight area
 *
 * A lane is one ring of records with many producers and one consumer. Its words change as lane-transitions.ts says:
 *
 *   +0   lock · data offset · data bytes · capacity     lock: 0, or the owner id of the thread that holds it
 *        · offset of the in-flight area, 0 without one
 *   +32  tail · next seq · seen head · seen seq         written under the lock
 *   +64  head · cursor · handled seq · in flight · …    written by the consumer
 *   +96  space                                          1 while a producer waits for room
 *
 *        head        cursor              tail
 *   ──────┬────────────┬───────────────────┬──────────   positions are free-running int32 byte
 *    free │ in flight  │ accepted, waiting │ free         counters; index = position & (bytes − 1)
 *   ──────┴────────────┴───────────────────┴──────────
 *
 * cursor ≠ head means that the record at head is being handled. Under drop_oldest producers move the head too, so the
 * record being handled is in the in-flight area instead, and "in flight" is not 0.
 */

const LINE = 32;

export const SLOT_HEADER_WORDS = 1024;
const SLOT_HEADER_BYTES = SLOT_HEADER_WORDS * 4;

// identity
/** uid · 4 + state: with one load a producer knows whether its actor is there and takes messages. */
export const IDENTITY = 0;
export const SLOT_BYTES = 1;
export const ENDPOINT_INDEX = 2;
export const OVERFLOW = 3;
export const BLOCK_TIMEOUT_MS = 4;
export const MAX_DELIVERIES = 5;
/** In state moved: the address of the actor's present slot. */
export const MOVED_TO = 6;
/** Units of log that main has taken from the thread that runs (written by main), see log-levels.ts. */
export const LOG_TAKEN = 7;
/** How long a call may take when the caller does not say: see call-timeout.ts. */
export const CALL_TIMEOUT = 8;
/** 0 for an actor of this process; for a slot whose messages leave it, the most bytes that one may have. */
export const LEAVES_WITH = 9;
/** Why a closed slot refuses. */
export const CLOSED_FOR = 10;

// values of CLOSED_FOR
/** Its actor is gone. */
export const CLOSED_GONE = 0;
/** There is no connection to its actor's node. */
export const CLOSED_UNCONNECTED = 1;
/** Its actor's node has another version of the protocol. */
export const CLOSED_INCOMPATIBLE = 2;

// lanes
export const MAILBOX_LANE = LINE;
export const SYSTEM_LANE = 5 * LINE;
export const LOCK = 0;
export const DATA_OFFSET = 1;
export const DATA_BYTES = 2;
export const CAPACITY = 3;
export const IN_FLIGHT_OFFSET = 4;
export const TAIL = LINE;
export const NEXT_SEQ = LINE + 1;
/**
 * The consumer's head, and the seq of the record at its cursor, as a producer last saw them. All producers share these
 * words, so that the tail is never further ahead of them than the ring is long, even for a producer that has not sent
 * for long.
 */
export const SEEN_HEAD = LINE + 2;
export const SEEN_SEQ = LINE + 3;
export const HEAD = 2 * LINE;
export const CURSOR = 2 * LINE + 1;
export const HANDLED_SEQ = 2 * LINE + 2;
/** The head at which the record in the in-flight area was claimed, plus 1; 0 when the area is empty. */
export const IN_FLIGHT = 2 * LINE + 3;
/** Values of IN_FLIGHT that are no position: the record is to be delivered again, or is being delivered again. */
export const TO_DELIVER_AGAIN = 2;
export const DELIVERED_AGAIN = 3;
/** Under drop_oldest: the seq after the record claimed last, and the number of claims. */
export const CLAIMED_SEQ = 2 * LINE + 4;
export const CLAIMS = 2 * LINE + 5;
export const SPACE = 3 * LINE;

// doorbell
export const PARKED = 9 * LINE;
export const CONTROL = 9 * LINE + 1;
/** 1 while handlers are so slow that producers stamp every record (written by the consumer). */
export const STAMP_ALL = 9 * LINE + 2;
/** How long the present handler may take, in ms: that of a partition's member. 0: what the actor's spec says. */
export const HANDLER_LIMIT_MS = 9 * LINE + 3;
/** Owner id of the thread that consumes the slot; 0 for none. Another thread that reads it may use a port to it. */
export const CONSUMER = 9 * LINE + 4;
/**
 * Owner id of the consumer's thread while it rests or is about to: then one sender that finds no message waiting may take it
 * and post a parcel to that thread, and the word is minus that id until the offer ends. 0 otherwise.
 */
export const OFFER = 9 * LINE + 5;

// activity
/**
 * 1 while the consumer is parked and timers, handles or requests of the actor's own are open, whose callbacks may run.
 */
export const ACTIVE = 10 * LINE;
/** Number of the method being handled, 0 for none. For a method without a number: minus the bytes of its name below. */
export const HANDLING = 10 * LINE + 1;
/** Changes with every dispatch: while it stands still, the same handler is running. */
export const DISPATCHES = 10 * LINE + 2;
/** The correlation of the next call. Kept here, so that no incarnation uses one of its predecessor's again. */
export const NEXT_CORRELATION = 10 * LINE + 3;
/**
 * Uid of the actor that the consumer's thread waits for, blocked by a full mailbox or a synchronous call; 0 for none.
 */
export const BLOCKED_ON = 10 * LINE + 4;
/** Changes when the loop turns without a dispatch: it took replies, or found nothing to do. */
export const TURNS = 10 * LINE + 5;
/** 1 while the consumer's thread counts among those that do not sleep. */
export const AWAKE = 10 * LINE + 6;
/** The number of the next stream that this slot's threads read, counted down from -1. */
export const NEXT_STREAM = 10 * LINE + 7;
/** Name of the method being handled, cut to the room there is. */
export const HANDLING_NAME = 10 * LINE + 8;
export const HANDLING_NAME_BYTES = 96;

// counters
export const DROPPED = 11 * LINE;
export const BLOCKED_US = 11 * LINE + 1;
/** Accepted messages that became dead letters instead of being handled (written by main while no consumer lives). */
export const LOST = 11 * LINE + 2;
/** 1 from when main was told that the mailbox is full until main sees room again. */
export const FULL_TOLD = 11 * LINE + 3;
/** Number of calls by outcome, one word for each of `CALL_OUTCOMES` (written by the callers). */
export const CALLS = 11 * LINE + 8;

// callers
export const CALLERS = 12 * LINE;

// peers
export const PEERS = 16 * LINE;

// meters: word offsets; 64-bit floats are on even words
const METERS = 20 * LINE;
/** Histograms of 124 words each, see histogram.ts: time in the mailbox, time in the handler, and their sum. */
export const WAIT_HISTOGRAM = METERS;
export const HANDLING_HISTOGRAM = METERS + 124;
export const LATENCY_HISTOGRAM = METERS + 248;
/** Float: how long the thread has slept at its doorbell, in ms. Node's event loop counts that time as active. */
export const SLEPT_MS = METERS + 372;
/** Lines of the actor's log that were dropped, because main had not taken the lines before them. */
export const LOG_DROPPED = METERS + 374;
/** The operating system's number of the thread; 0 where that is unknown. */
export const OS_THREAD = METERS + 375;
/** CPU time of the thread when it announced its exit, in ms. */
export const EXIT_CPU_MS = METERS + 376;

/** Streams that the consumer's handlers have open. */
export const STREAMS_OPEN = METERS + 378;
/** Float: items that its streams have sent, over all incarnations. */
export const STREAM_ITEMS = METERS + 380;

/** Size of a set of endpoints. Beyond that two endpoints share a bit: then main also looks at one that is not meant. */
export const ENDPOINT_SET_WORDS = 4 * LINE;
export const ENDPOINT_SET_BITS = ENDPOINT_SET_WORDS * 32;

/** Adds an endpoint to the set that starts at word `set`. */
export function addEndpoint(words: Int32Array, set: number, endpointIndex: number): void {
  const bit = endpointIndex % ENDPOINT_SET_BITS;
  Atomics.or(words, set + (bit >> 5), 1 << (bit & 31));
}

// states of a slot
export const STATE_CLOSED = 0;
export const STATE_OPEN = 1;
/** Refuses new messages; what was accepted is still handled. */
export const STATE_DRAINING = 2;
/** The actor has another slot, because this one's thread survived its kill and may still write here. */
export const STATE_MOVED = 3;

export type SlotState = typeof STATE_CLOSED | typeof STATE_OPEN | typeof STATE_DRAINING | typeof STATE_MOVED;

/** A uid has the 30 bits that the state leaves. */
export const MAX_UID = 2 ** 30 - 1;

export function identity(uid: number, state: SlotState): number {
  return (uid << 2) | state;
}

export function stateOf(words: Int32Array): SlotState {
  return (Atomics.load(words, IDENTITY) & 3) as SlotState;
}

export function uidOf(words: Int32Array): number {
  return Atomics.load(words, IDENTITY) >>> 2;
}

/** Main: which messages the slot takes from now on. */
export function setState(words: Int32Array, state: SlotState): void {
  Atomics.store(words, IDENTITY, identity(uidOf(words), state));
}

/** Main: sends producers on to the slot at `address`. */
export function moveTo(words: Int32Array, address: number): void {
  words[MOVED_TO] = address;
  setState(words, STATE_MOVED);
}

/** Main: the slot belongs to no actor. */
export function vacate(words: Int32Array): void {
  Atomics.store(words, IDENTITY, 0);
}

// overflow policies
/** What a full mailbox does to senders. */
export type OverflowPolicy = "block" | "reject" | "drop_newest" | "drop_oldest";
export const OVERFLOW_POLICIES: readonly OverflowPolicy[] = ["block", "reject", "drop_newest", "drop_oldest"];

export interface SlotLayout {
  readonly uid: number;
  readonly endpointIndex: number;
  readonly capacity: number;
  /** Power of two. */
  readonly mailboxBytes: number;
  /** Power of two. */
  readonly systemBytes: number;
  readonly overflow: OverflowPolicy;
  readonly blockTimeoutMs: number;
  readonly maxDeliveries: number;
  /** Default 0. */
  readonly leavesWith?: number;
}

/** Bytes of a slot with this layout. */
export function slotBytes(layout: Pick<SlotLayout, "mailboxBytes" | "systemBytes" | "overflow">): number {
  const rings = SLOT_HEADER_BYTES + layout.mailboxBytes + layout.systemBytes;
  return layout.overflow === "drop_oldest" ? rings + (layout.mailboxBytes >> 2) : rings;
}

/** Writes a fresh slot into zeroed or recycled memory and opens it. Main only, before another thread knows the slot. */
export function formatSlot(words: Int32Array, layout: SlotLayout): void {
  // All but the locks: a thread that still sends to the slot's former owner may hold one, and releases it itself.
  for (let word = 0; word < SLOT_HEADER_WORDS; word++) {
    if (word !== MAILBOX_LANE + LOCK && word !== SYSTEM_LANE + LOCK) words[word] = 0;
  }
  words[SLOT_BYTES] = slotBytes(layout);
  words[ENDPOINT_INDEX] = layout.endpointIndex;
  words[OVERFLOW] = OVERFLOW_POLICIES.indexOf(layout.overflow);
  words[BLOCK_TIMEOUT_MS] = Math.min(layout.blockTimeoutMs, 0x7fffffff);
  words[MAX_DELIVERIES] = layout.maxDeliveries;
  words[LEAVES_WITH] = layout.leavesWith ?? 0;
  formatLane(words, MAILBOX_LANE, SLOT_HEADER_BYTES, layout.mailboxBytes, layout.capacity);
  formatLane(words, SYSTEM_LANE, SLOT_HEADER_BYTES + layout.mailboxBytes, layout.systemBytes, 0x7fffffff);
  if (layout.overflow === "drop_oldest") {
    words[MAILBOX_LANE + IN_FLIGHT_OFFSET] = SLOT_HEADER_BYTES + layout.mailboxBytes + layout.systemBytes;
  }
  words[NEXT_CORRELATION] = 1;
  // Last: a producer compares the identity under the lock, so the slot exists once this is stored.
  Atomics.store(words, IDENTITY, identity(layout.uid, STATE_OPEN));
}

function formatLane(words: Int32Array, lane: number, offset: number, bytes: number, capacity: number): void {
  words[lane + DATA_OFFSET] = offset;
  words[lane + DATA_BYTES] = bytes;
  words[lane + CAPACITY] = capacity;
  // Positions start just below the int32 overflow, so that every process meets it early.
  const start = 0x7fff_fe00;
  words[lane + TAIL] = start;
  words[lane + SEEN_HEAD] = start;
  words[lane + HEAD] = start;
  words[lane + CURSOR] = start;
}
