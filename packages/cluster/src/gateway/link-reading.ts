/** Counts of what came and what went. */
export interface BothWays {
  readonly in: number;
  readonly out: number;
}

/** The numbers of the link to one node. Counts are over all its sessions. */
export interface LinkReading {
  readonly node: string;
  /** How long a frame took there and back when it was last asked; undefined while there is no connection. */
  readonly rttMs: number | undefined;
  /** NATS messages. */
  readonly frames: BothWays;
  /** Messages, replies and signals; frames carry many of them, or a part of a large one. */
  readonly records: BothWays;
  readonly bytes: BothWays;
  /** Frames that were sent again, because no acknowledgement had come. */
  readonly resent: number;
  /** Frames and records that were dropped: of another session, not expected, or no gateway's. */
  readonly damaged: number;
  /** For how long nothing new could be sent, because the other side had not acknowledged what was. */
  readonly windowFullMs: number;
  /** What stands here for the node's actors. */
  readonly proxies: number;
  /** Calls that have left and are not answered. */
  readonly callsInDoubt: number;
}
