import { CONSUMER, PROTOCOL, type Protocol, type Scenario, SENDER_A, SENDER_B } from "./scenario.js";
import type { SearchOptions } from "./search.js";

export interface Case {
  /** A sentence that a search proves. */
  readonly claim: string;
  readonly scenario: Partial<Scenario>;
  readonly options?: SearchOptions;
  /** The search takes 10 s and more. */
  readonly isSlow?: true;
}

/** A ring for one message, where both senders can wait at once although there are but three messages. */
const TIGHT = { messages: [2, 1], ringUnits: 1 } as const;

export const CASES: readonly Case[] = [
  {
    claim: "every interleaving of two senders and two messages ends, with every message handled once and in order",
    scenario: {},
    options: { provingEnd: true },
  },
  {
    claim: "every interleaving of two senders and two messages with a crash between any two steps loses nothing",
    scenario: { crashes: 1 },
    isSlow: true,
  },
  {
    claim: "every run with two crashes ends, whichever process dies first and second",
    scenario: { ...TIGHT, messages: [1, 1], crashes: 2 },
    options: { provingEnd: true },
  },
  {
    claim: "a message in flight is delivered again after a crash and is a dead letter after its last delivery",
    scenario: { ...TIGHT, crashes: 2, maxDeliveries: 2 },
    isSlow: true,
  },
  {
    claim: "records of two sizes pass the end of the ring, also when their sender or reader dies there",
    scenario: { messages: [1, 2], spans: [1, 2], ringUnits: 4, crashes: 1 },
  },
  {
    claim: "a mailbox full by its count of messages wakes its senders, also after a crash",
    scenario: { messages: [2, 1], ringUnits: 4, capacity: 1, crashes: 1 },
  },
  {
    claim: "positions that go round between two messages of a sender do no harm",
    scenario: { positions: 8 },
  },
  {
    claim: "a mailbox emptied at a restart accounts for every message as handled or as a dead letter",
    scenario: { ...TIGHT, crashes: 1, afterConsumer: "restart with an empty mailbox" },
  },
  {
    claim: "a mailbox closed after a crash accounts for every message, and lets every sender go",
    scenario: { ...TIGHT, crashes: 2, afterConsumer: "close" },
  },
  {
    claim: "a slot that changes hands while a sender of its former actor dies takes nothing from him",
    scenario: { recycled: true, crashes: 1 },
  },
  {
    claim: "a mailbox that drops its oldest accounts for every message, whichever process dies",
    scenario: { ...TIGHT, overflow: "drop_oldest", crashes: 1, maxDeliveries: 2 },
  },
  {
    claim: "a mailbox that drops its oldest drops records of two sizes at the end of the ring",
    scenario: { messages: [1, 2], spans: [1, 2], ringUnits: 4, overflow: "drop_oldest", crashes: 1 },
  },
];

/** Too large for every day: minutes, and gigabytes. */
export const LARGE_CASES: readonly Case[] = [
  {
    claim: "every interleaving of two senders and two messages with two crashes between any two steps loses nothing",
    scenario: { crashes: 2 },
  },
  {
    claim: "the same, with two deliveries",
    scenario: { crashes: 2, maxDeliveries: 2 },
  },
  {
    claim: "the same, with records of two sizes that pass the end of the ring",
    scenario: { spans: [1, 2], ringUnits: 4, crashes: 2 },
  },
  {
    claim: "the same, in a mailbox closed after a crash",
    scenario: { crashes: 2, afterConsumer: "close" },
  },
  {
    claim: "the same, in a mailbox that drops its oldest, with two deliveries",
    scenario: { ringUnits: 1, overflow: "drop_oldest", crashes: 2, maxDeliveries: 2 },
  },
];

/** A protocol with one thing wrong, and what the search must find. */
export interface BrokenCase {
  readonly claim: string;
  readonly change: Partial<Protocol>;
  readonly scenario: Partial<Scenario>;
  readonly finds: string;
}

const DROPPING = { messages: [1, 1], ringUnits: 1, overflow: "drop_oldest" } as const;
const SENDERS_ONLY = [SENDER_A, SENDER_B];

export const BROKEN_CASES: readonly BrokenCase[] = [
  {
    claim: "without a notify on repair, a sender that dies before its ring leaves the consumer asleep",
    change: { repairWakes: "none" },
    scenario: { messages: [1, 1], crashes: 1, mortals: SENDERS_ONLY },
    finds: "the consumer sleeps for ever while a message waits",
  },
  {
    claim: "without a notify on repair, a consumer that dies before its ring leaves a sender asleep",
    change: { repairWakes: "none" },
    scenario: { ...TIGHT, messages: [1, 1], crashes: 1, mortals: [CONSUMER] },
    finds: "sender B sleeps for ever",
  },
  {
    claim: "a notify on repair only when the dead one held the lock leaves the consumer asleep",
    change: { repairWakes: "everyone if the dead one held the lock" },
    scenario: { messages: [1, 1], crashes: 1, mortals: SENDERS_ONLY },
    finds: "the consumer sleeps for ever while a message waits",
  },
  {
    claim: "a head stored before the handler, with no cursor, loses the message in flight",
    change: { inFlight: "head before the handler, no cursor" },
    scenario: { messages: [1, 1], crashes: 1 },
    finds: "message B1 was accepted, and then lost",
  },
  {
    claim: "a place claimed by compare-and-swap blocks the ring when its sender dies before the header",
    change: { claim: "by compare-and-swap of the tail, then the header" },
    scenario: { messages: [1, 1], crashes: 1, mortals: SENDERS_ONLY },
    finds: "the consumer waits for ever for the header of a record",
  },
  {
    claim: "a recount after the lock is free races with the next sender",
    change: { recount: "after the lock is free" },
    scenario: { messages: [1, 1], crashes: 1, mortals: SENDERS_ONLY },
    finds: "the seq of a record does not follow its predecessor's",
  },
  {
    claim: "a writer that remembers for itself what room it saw overwrites records once positions have gone round",
    change: { roomSeen: "in each writer" },
    scenario: { positions: 8, seqs: 32 },
    finds: "a record is written over one that is not finished with",
  },
  {
    claim: "callers told by the count of accepted messages see calls fail that are handled later",
    change: { consumedBefore: "the first record in the ring, or what was counted" },
    scenario: { messages: [1, 1], crashes: 1, mortals: [CONSUMER] },
    finds: "a message is handled although its caller was told that it will not be answered",
  },
  {
    claim: "a repair of the slots in use alone leaves the lock of a free slot with its dead owner",
    change: { repairs: "slots in use" },
    scenario: { messages: [1, 1], recycled: true, crashes: 1 },
    finds: "sender B waits for ever for the lock",
  },
  {
    claim: "a sender that leaves a closed mailbox without ringing has taken another's wake-up with it",
    change: { refused: "leaves" },
    scenario: { ...TIGHT, crashes: 1, afterConsumer: "close" },
    finds: "sender A sleeps for ever",
  },
  {
    claim: "a claim decided on after its lock is free has been dropped by a sender meanwhile",
    change: { recovers: "after the locks are free" },
    scenario: { ...DROPPING, crashes: 1, mortals: [CONSUMER] },
    finds: "a message becomes a dead letter that was not in flight, was handled, or is one already",
  },
  {
    claim: "a delivery counted when a thread starts makes a dead letter of a message not delivered again",
    change: { redelivers: "when a thread starts" },
    scenario: { ...DROPPING, crashes: 2, maxDeliveries: 2, mortals: [CONSUMER] },
    finds: "a message becomes a dead letter that was not in flight, was handled, or is one already",
  },
  {
    claim: "a dropped message accounted for after the push is lost with a sender that dies before",
    change: { drops: "after the push" },
    scenario: { ...DROPPING, crashes: 1, mortals: SENDERS_ONLY },
    finds: "message A1 was accepted, and then lost",
  },
  {
    claim: "a mailbox that drops its oldest cannot be emptied without the lock while senders write",
    change: {},
    scenario: { ...DROPPING, crashes: 1, mortals: [CONSUMER], afterConsumer: "restart with an empty mailbox" },
    finds: "a message becomes a dead letter that was not in flight, was handled, or is one already",
  },
];

export function brokenScenario({ change, scenario }: BrokenCase): Partial<Scenario> {
  return { ...scenario, protocol: { ...PROTOCOL, ...change } };
}
