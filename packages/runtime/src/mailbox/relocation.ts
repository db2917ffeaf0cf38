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
  IN_FLIGHT_OFFSET,
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
  copyRecords(from, to);
  const area = from.words[MAILBOX_LANE + IN_FLIGHT_OFFSET];
  // The record that a mailbox which drops its oldest has taken out of the ring.
  if (to.words[MAILBOX_LANE + IN_FLIGHT] !== 0) to.bytes.set(from.bytes.subarray(area), area);
}

/** What waits, and no more: to write the whole ring of a partition takes main 40 ms, most of it for fresh pages. */
function copyRecords(from: SlotMemory, to: SlotMemory): void {
  const offset = to.words[MAILBOX_LANE + DATA_OFFSET];
  const bytes = to.words[MAILBOX_LANE + DATA_BYTES];
  const head = to.words[MAILBOX_LANE + HEAD] & (bytes - 1);
  const waiting = (to.words[MAILBOX_LANE + TAIL] - to.words[MAILBOX_LANE + HEAD]) | 0;
  const toEnd = Math.min(waiting, bytes - head);
  for (const [start, length] of [
    [offset + head, toEnd],
    [offset, waiting - toEnd],
  ]) {
    to.bytes.set(from.bytes.subarray(start, start + length), start);
  }
}

function copyWords(from: SlotMemory, to: SlotMemory, start: number, count: number): void {
  to.words.set(from.words.subarray(start, start + count), start);
}
