import type { Scenario } from "./scenario.js";

/*
 * A state of the model, one byte a field. The first part is the shared memory of slot-descriptor.ts and
 * record-descriptor.ts; the second what each process keeps to itself; the third is known to none in the
 * system and only there to judge it.
 */
export type State = Uint8Array;

const names: string[] = [];
const maxima: number[] = [];

function word(name: string, max: number): number {
  maxima.push(max);
  return names.push(name) - 1;
}

function block(count: number, name: string, words: readonly (readonly [string, number])[]): number[] {
  return Array.from({ length: count }, (_, i) => {
    const first = names.length;
    for (const [field, max] of words) word(`${name} ${i} ${field}`, max);
    return first;
  });
}

const MAX_POSITION = 31;
const MAX_SEQ = 31;
const MAX_PC = 63;
/** Messages are numbered from 1, those of sender A first; 0 is none. */
export const MAX_MESSAGE = 7;
export const MAX_RING_UNITS = 4;

// slot-descriptor.ts
export const IDENTITY = word("identity", 9);
export const LOCK = word("lock", 9);
export const TAIL = word("tail", MAX_POSITION);
export const NEXT_SEQ = word("next seq", MAX_SEQ);
export const HEAD = word("head", MAX_POSITION);
export const CURSOR = word("cursor", MAX_POSITION);
export const HANDLED_SEQ = word("handled seq", MAX_SEQ);
export const SPACE = word("space", 1);
export const PARKED = word("parked", 1);
// For a ring that drops its oldest.
/** Where the head stood when the record in the in-flight area was claimed, + 1; or one of the next two. */
export const IN_FLIGHT = word("in flight", MAX_POSITION + 3);
/** The record in the in-flight area is to be delivered again. */
export const TO_DELIVER = MAX_POSITION + 2;
/** It has been taken again. */
export const TAKEN_AGAIN = MAX_POSITION + 3;
/** The seq after the record that was claimed last. */
export const CLAIMED_SEQ = word("claimed seq", MAX_SEQ);
export const [AREA] = block(1, "in-flight area", [
  ["seq", MAX_SEQ],
  ["message", MAX_MESSAGE],
  ["attempt", 1],
]);
export const AREA_SEQ = AREA;
export const AREA_MESSAGE = AREA + 1;
export const AREA_ATTEMPT = AREA + 2;
/** What the last look at the consumer's words has shown, when writers share it. */
export const ROOM_HEAD = word("room head", MAX_POSITION);
export const ROOM_SEQ = word("room seq", MAX_SEQ);

/** `identity`; 0 is a free slot. */
export const open = (uid: number): number => (uid << 2) | 1;
export const closed = (uid: number): number => uid << 2;
export const isClosed = (s: State): boolean => s[IDENTITY] !== 0 && (s[IDENTITY] & 3) === 0;

// record-descriptor.ts: one unit of the ring, which may be a record's first, with its header, or a later one
export const CELLS = block(MAX_RING_UNITS, "unit", [
  ["kind", 3],
  ["length", MAX_RING_UNITS],
  ["seq", MAX_SEQ],
  ["message", MAX_MESSAGE],
  ["attempt", 1],
  ["payload", MAX_MESSAGE],
]);
export const R_KIND = 0;
export const R_LENGTH = 1;
export const R_SEQ = 2;
export const R_MESSAGE = 3;
export const R_ATTEMPT = 4;
export const R_PAYLOAD = 5;
export const CELL_WORDS = 6;

export const KIND_NONE = 0;
export const KIND_PADDING = 1;
export const KIND_MESSAGE = 2;
/** The payload of an earlier unit's record. */
export const KIND_INSIDE = 3;

// What a sender's thread keeps to itself: actor-outbox.ts and ring-writer.ts.
export const SENDERS = block(2, "sender", [
  ["pc", MAX_PC],
  ["sent", MAX_MESSAGE],
  ["incarnation", 2],
  ["retrying", 1],
  ["outcome", 2],
  ["seq", MAX_SEQ],
  ["cursor", MAX_POSITION],
  ["#head", MAX_POSITION],
  ["#cursorSeq", MAX_SEQ],
  ["dropped", MAX_MESSAGE],
]);
/** Where a process stands in its program; the same place in all three blocks of this kind. */
export const PC = 0;
/** Messages sent, refused or lost by a crash; so, the index of the one in hand. */
export const SENT = 1;
export const THREADS = 2;
export const RETRYING = 3;
export const OUTCOME = 4;
export const SEQ = 5;
export const LOOKED_CURSOR = 6;
export const SEEN_HEAD = 7;
export const SEEN_SEQ = 8;
export const DROPPED = 9;

// What the consumer's thread keeps to itself: inbox.ts and ring-reader.ts.
export const [CONSUMER_WORDS] = block(1, "consumer", [
  ["pc", MAX_PC],
  ["#head", MAX_POSITION],
  ["#tail", MAX_POSITION],
  ["#end", MAX_POSITION],
  ["seq", MAX_SEQ],
  ["message", MAX_MESSAGE],
  ["tail", MAX_POSITION],
  ["committed", 1],
  ["#undelivered", 1],
  ["threads", 2],
]);
export const OWN_HEAD = CONSUMER_WORDS + 1;
export const OWN_TAIL = CONSUMER_WORDS + 2;
export const END = CONSUMER_WORDS + 3;
export const CURRENT_SEQ = CONSUMER_WORDS + 4;
export const CURRENT = CONSUMER_WORDS + 5;
export const WAKE_TAIL = CONSUMER_WORDS + 6;
export const COMMITTED = CONSUMER_WORDS + 7;
export const UNDELIVERED = CONSUMER_WORDS + 8;
export const CONSUMER_THREADS = CONSUMER_WORDS + 9;

// Main's variables: slots.ts, mailbox.ts and actor-life.ts.
export const [MAIN_WORDS] = block(1, "main", [
  ["pc", MAX_PC],
  ["dead", 3],
  ["tail", MAX_POSITION],
  ["position", MAX_POSITION],
  ["seq", MAX_SEQ],
  ["closing", 2],
]);
/** The process whose exit is being processed. */
export const DEAD = MAIN_WORDS + 1;
export const MAIN_TAIL = MAIN_WORDS + 2;
export const POSITION = MAIN_WORDS + 3;
export const MAIN_SEQ = MAIN_WORDS + 4;
export const CLOSING = MAIN_WORDS + 5;

/** Where each process keeps its program counter; by process. */
export const PCS = [SENDERS[0], SENDERS[1], CONSUMER_WORDS, MAIN_WORDS];

// For the judge, each by message.
const perMessage = (name: string, max: number): number => block(MAX_MESSAGE, name, [["", max]])[0] - 1;
/** Its tail was stored. */
export const ACCEPTED = perMessage("accepted", 1);
/** How often its handler ran; then FINISHED, so that states which differ only in the past are one. */
export const RUNS = perMessage("runs", 3);
export const FINISHED = 3;
export const DEAD_LETTERS = perMessage("dead letters", 1);
/** The message between the reader's `next` and `commit`, also when the reader has died there; 0 for none. */
export const CLAIMED = word("claimed", MAX_MESSAGE);
/** Callers were told that requests before this seq − 1 are not answered any more; 0 once the next was handled. */
export const TOLD = word("told", MAX_SEQ + 1);
export const CRASHES = word("crashes", 3);
export const VIOLATION = word("violation", 15);

export const FIELDS: readonly string[] = names;

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

/** The largest value of each field; 0 for fields that a scenario leaves unused. */
export function maximaOf({ ringUnits, messages, overflow, protocol }: Scenario): number[] {
  const unused = new Set(CELLS.slice(ringUnits).flatMap((cell) => range(cell, CELL_WORDS)));
  const use = (fields: readonly number[], used: boolean): void => {
    if (!used) for (const field of fields) unused.add(field);
  };
  const shared = protocol.roomSeen === "in the ring, under the lock";
  use([ROOM_HEAD, ROOM_SEQ], shared);
  for (const sender of SENDERS) {
    use([sender + SEEN_HEAD, sender + SEEN_SEQ], !shared || protocol.claim !== "under the lock");
    use([sender + DROPPED], overflow === "drop_oldest");
  }
  use([IN_FLIGHT, CLAIMED_SEQ, AREA_SEQ, AREA_MESSAGE, AREA_ATTEMPT], overflow === "drop_oldest");
  use([UNDELIVERED, CONSUMER_THREADS], overflow === "drop_oldest");
  const count = messages[0] + messages[1];
  for (const ofMessage of [ACCEPTED, RUNS, DEAD_LETTERS]) use(range(ofMessage + count + 1, MAX_MESSAGE - count), false);
  return maxima.map((max, field) => (unused.has(field) ? 0 : max));
}
