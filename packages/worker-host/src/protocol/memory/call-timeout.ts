import { CALL_TIMEOUT } from "./slot-descriptor.js";

/** How long a call may take where neither the caller, the callee's spec nor its system says. */
export const DEFAULT_CALL_TIMEOUT_MS = 5000;

/** A slot that says nothing has 0 there, so the word is one more than the milliseconds; all bits are set for Infinity. */
export function setCallTimeout(words: Int32Array, timeoutMs: number): void {
  words[CALL_TIMEOUT] = timeoutMs === Infinity ? -1 : Math.ceil(timeoutMs) + 1;
}

/** How long a call of this slot's actor may take when the caller does not say. */
export function callTimeoutOf(words: Int32Array): number {
  const word = words[CALL_TIMEOUT];
  if (word === 0) return DEFAULT_CALL_TIMEOUT_MS;
  // One more than the largest of Node's timers is no longer an int32.
  return word === -1 ? Infinity : (word >>> 0) - 1;
}
