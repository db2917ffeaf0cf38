import { isHeldUntil } from "../nodes/held-until.js";

/** What an owner shows to a store, which takes nothing from one with an earlier token. */
export interface Fence {
  /** Grows with each owner: first by the first number, then by the second. */
  readonly token: readonly [epoch: number, revision: number];
  /** @internal Until when it is held, by two clocks: see `isHeld`. */
  readonly until: BigInt64Array;
}

/**
 * Whether what was started with this fence is still its node's, by the clocks of this machine: read from shared memory, in any
 * thread, while main is blocked too. After a stop of the whole process (SIGSTOP, a suspended machine) it is false at once.
 * It says nothing of the moment after: a store that compares tokens is what makes an owner safe.
 */
export function isHeld(fence: Fence): boolean {
  return isHeldUntil(fence.until);
}
