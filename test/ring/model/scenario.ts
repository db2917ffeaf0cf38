/** Who takes part. The senders and the consumer can die; main cannot. */
export const SENDER_A = 0;
export const SENDER_B = 1;
export const CONSUMER = 2;
export const MAIN = 3;
export const PROCESSES = ["sender A", "sender B", "consumer", "main"] as const;

/** How the protocol goes about what it can get wrong. The first of each is right, each of the others breaks something. */
export interface Protocol {
  /** Slots.repair: whom it wakes when the dead thread's locks are free. */
  readonly repairWakes: "everyone" | "none" | "everyone if the dead one held the lock";
  /** RingReader: how a message in flight is marked. */
  readonly inFlight: "cursor before the handler, head after" | "head before the handler, no cursor";
  /** RingWriter.push: how a sender gets its place in the ring. */
  readonly claim: "under the lock" | "by compare-and-swap of the tail, then the header";
  /** Slots.repair: when the count of records is put right. */
  readonly recount: "before the lock is free" | "after the lock is free";
  /** Where a writer keeps what it knows of the room that the consumer has made. */
  readonly roomSeen: "in the ring, under the lock" | "in each writer";
  /** Mailbox.consumedBefore: what main tells the callers of a consumer that died. */
  readonly consumedBefore: "what was handled or claimed" | "the first record in the ring, or what was counted";
  /** Slots.repair: where it looks for the dead one's locks. */
  readonly repairs: "every slot" | "slots in use";
  /** ActorChild.#onThreadExit: when the message in flight is decided on. */
  readonly recovers: "before the locks are free" | "after the locks are free";
  /** RingReader of a mailbox that drops its oldest: what counts as a delivery again. */
  readonly redelivers: "when it is taken again" | "when a thread starts";
  /** RingWriter.#dropOldest: when the record it has taken out is accounted for. */
  readonly drops: "with the head" | "after the push";
  /** ActorOutbox.waitForRoom: what a sender does that finds the mailbox closed after it has announced itself. */
  readonly refused: "rings for the others" | "leaves";
}

export const PROTOCOL: Protocol = {
  repairWakes: "everyone",
  inFlight: "cursor before the handler, head after",
  claim: "under the lock",
  recount: "before the lock is free",
  roomSeen: "in the ring, under the lock",
  consumedBefore: "what was handled or claimed",
  repairs: "every slot",
  recovers: "before the locks are free",
  redelivers: "when it is taken again",
  drops: "with the head",
  refused: "rings for the others",
};

export interface Scenario {
  /** How many messages each of the two senders sends. */
  readonly messages: readonly [number, number];
  /** Units of the ring that a message of each sender takes, header included. */
  readonly spans: readonly [number, number];
  /** Size of the ring. A unit stands for the bytes of a smallest record. */
  readonly ringUnits: number;
  /** The mailbox's bound in messages. */
  readonly capacity: number;
  /** Positions count to here and start again at 0, as the code's do at 2³². A multiple of the ring's size. */
  readonly positions: number;
  /** Seqs count to here and start again at 0. */
  readonly seqs: number;
  readonly maxDeliveries: 1 | 2;
  /** `drop_oldest` has a reader of its own, and its senders never wait. */
  readonly overflow: "block" | "drop_oldest";
  /** How many crashes a run may have, each between any two steps. */
  readonly crashes: number;
  /** Who may crash. */
  readonly mortals: readonly number[];
  /** What main does when the consumer has died. */
  readonly afterConsumer: "restart" | "restart with an empty mailbox" | "close";
  /**
   * The slot is taken from its stopped actor, to whom sender A still writes, and given to another one, to whom
   * sender B writes.
   */
  readonly recycled: boolean;
  readonly protocol: Protocol;
}

/** Two senders with two messages each, and a ring that two messages fill. */
export const SCENARIO: Scenario = {
  messages: [2, 2],
  spans: [1, 1],
  ringUnits: 2,
  capacity: 7,
  positions: 16,
  seqs: 16,
  maxDeliveries: 1,
  overflow: "block",
  crashes: 0,
  mortals: [SENDER_A, SENDER_B, CONSUMER],
  afterConsumer: "restart",
  recycled: false,
  protocol: PROTOCOL,
};
