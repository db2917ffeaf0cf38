import {
  BLOCK_TIMEOUT_MS,
  CALLERS,
  CAPACITY,
  CLAIMED_SEQ,
  CLAIMS,
  CURSOR,
  DATA_BYTES,
  DATA_OFFSET,
  ENDPOINT_SET_WORDS,
  HANDLED_SEQ,
  HEAD,
  IN_FLIGHT,
  MAILBOX_LANE,
  MAX_DELIVERIES,
  NEXT_CORRELATION,
  NEXT_SEQ,
  NEXT_STREAM,
  OVERFLOW,
  OVERFLOW_POLICIES,
  SEEN_HEAD,
  SEEN_SEQ,
  SLOT_HEADER_WORDS,
  type SlotLayout,
  type SlotMemory,
  SYSTEM_LANE,
  TAIL,
} from "@mini-otp/worker-host/protocol/memory";

const MAILBOX_STATE = [TAIL, NEXT_SEQ, SEEN_HEAD, SEEN_SEQ, HEAD, CURSOR, HANDLED_SEQ, IN_FLIGHT, CLAIMED_SEQ, CLAIMS];
const COUNTERS = 11 * 32;
const COUNTER_WORDS = 32;
const HISTOGRAMS = 20 * 32;

/** The layout that `formatSlot` once wrote. */
export function layoutOf(words: Int32Array): Omit<SlotLayout, "uid" | "endpointIndex"> {
  return {
    capacity: words[MAILBOX_LANE + CAPACITY],
    mailboxBytes: words[MAILBOX_LANE + DATA_BYTES],
    systemBytes: words[SYSTEM_LANE + DATA_BYTES],
    overflow: OVERFLOW_POLICIES[words[OVERFLOW]],
    blockTimeoutMs: words[BLOCK_TIMEOUT_MS],
    maxDeliveries: words[MAX_DELIVERIES],
  };
}

/**
 * Copies an actor's mailbox, counters, meters and set of callers to a slot of the same layout. Not the system lane: its
 * replies are for calls of the abandoned thread.
 */
export function copyAccepted(from: SlotMemory, to: SlotMemory): void {
  for (const word of MAILBOX_STATE) {
    to.words[MAILBOX_LANE + word] = Atomics.load(from.words, MAILBOX_LANE + word);
  }
  to.words[NEXT_CORRELATION] = from.words[NEXT_CORRELATION];
  to.words[NEXT_STREAM] = from.words[NEXT_STREAM];
  copyWords(from, to, COUNTERS, COUNTER_WORDS);
  copyWords(from, to, CALLERS, ENDPOINT_SET_WORDS);
  copyWords(from, to, HISTOGRAMS, SLOT_HEADER_WORDS - HISTOGRAMS);
  const systemEnd = from.words[SYSTEM_LANE + DATA_OFFSET] + from.words[SYSTEM_LANE + DATA_BYTES];
  const start = from.words[MAILBOX_LANE + DATA_OFFSET];
  const end = start + from.words[MAILBOX_LANE + DATA_BYTES];
  to.bytes.set(from.bytes.subarray(start, end), start);
  // Behind the lanes lies the in-flight area of a mailbox that drops its oldest.
  to.bytes.set(from.bytes.subarray(systemEnd), systemEnd);
}

function copyWords(from: SlotMemory, to: SlotMemory, start: number, count: number): void {
  to.words.set(from.words.subarray(start, start + count), start);
}
