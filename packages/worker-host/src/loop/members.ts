import type { ToActor } from "../protocol/port/messages.js";
import type { MemberLife } from "../protocol/port/partition.js";
import type { Payload } from "../protocol/ring/payload.js";

type OfMember<Type extends ToActor["type"]> = Extract<ToActor, { readonly type: Type }> & {
  readonly member: MemberLife;
};
/** What main asks of one light actor. */
export type MemberRequest = OfMember<"suspend" | "resume" | "get_state" | "replace_state">;
/** The beginning, the credit or the end of a trace of one light actor. */
export type MemberTrace = OfMember<"trace" | "trace_credit" | "untrace">;

/** The light actors of a partition, as the loop of its thread sees them. */
export interface Members {
  /** When the next timer of a member fires, by `performance`. */
  nextDue(): number;
  /** Called with what wakes the loop when a member has something to do, and what stops it for good. */
  wakeBy(schedule: () => void, freeze: () => void): void;
  /** Has members handle what waits for them, for a while. Returns how many messages that were. */
  work(): number;
  /** The last `work` has taken so long that the clock is to be read after it. */
  isLate(): boolean;
  /**
   * A message for a member has come by the partition's ring. `countedBytes` were counted when it was accepted. Never
   * waits and never throws.
   */
  receive(
    header: Int32Array,
    methodText: string,
    payload: Payload,
    countedBytes: number,
    transferred?: readonly unknown[],
  ): void;
  /** A caller has given up a call; true when that is one to a member. */
  cancelled(callerUid: number, correlation: number): boolean;
  /**
   * A message has come to the partition itself. True when it is main's own: then what proves it is taken off `args`. What
   * anything else sends has no effect.
   */
  isOfMain(args: unknown[]): boolean;
  /** Carries out main's request, and returns its answer. Throws why that cannot be. */
  asked(request: MemberRequest): unknown;
  trace(request: MemberTrace): void;
}
