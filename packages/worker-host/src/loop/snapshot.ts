import type { Carrier } from "../protocol/calls/telemetry.js";

/** A message that an actor gets without its mailbox, still to be handled. */
export interface OwnMessage {
  readonly method: string;
  readonly args: unknown[];
  /** The trace and the baggage in which the actor has sent it. */
  readonly carrier?: Carrier | undefined;
  /** For a timer: 0 when it fires once. */
  readonly everyMs?: number;
}

/** A timer, in terms that do not depend on the clock of its thread. */
export interface SavedTimer extends OwnMessage {
  readonly id: number;
  readonly everyMs: number;
  readonly inMs: number;
}

/** What an incarnation hands over, between two messages, to the thread that continues it with other code. */
export interface Snapshot {
  readonly state: unknown;
  readonly version: string | undefined;
  readonly suspended: boolean;
  readonly timers: readonly SavedTimer[];
  readonly lastTimer: number;
  readonly continuations: readonly OwnMessage[];
  /** DOWN and EXIT that have arrived. */
  readonly signals: readonly OwnMessage[];
  readonly lastMonitor: number;
  readonly demonitored: readonly number[];
  /** Keys of calls that wait in the mailbox and were given up. */
  readonly cancelled: readonly string[];
}
