import { isActorError } from "../errors/errors.js";
import { CALLS, uidOf } from "../memory/slot-descriptor.js";

/** How a call ended: with a reply, or by which kind of failure. */
export type CallOutcome =
  | "reply"
  | "failure"
  | "timeout"
  | "exit"
  | "noproc"
  | "aborted"
  | "mailbox_full"
  | "cycle"
  | "error";
/** In the order of their words in the callee's slot. */
export const CALL_OUTCOMES: readonly CallOutcome[] = [
  "reply",
  "failure",
  "timeout",
  "exit",
  "noproc",
  "aborted",
  "mailbox_full",
  "cycle",
  "error",
];

const BY_CODE: Readonly<Record<string, CallOutcome>> = {
  ERR_CALL_TIMEOUT: "timeout",
  ERR_CALL_EXIT: "exit",
  ERR_NOPROC: "noproc",
  ERR_CALL_ABORTED: "aborted",
  ERR_MAILBOX_FULL: "mailbox_full",
  ERR_CALL_CYCLE: "cycle",
};
const REPLY = 0;

export function countReply(words: Int32Array, uid: number): void {
  count(words, uid, REPLY);
}

/** `answered`: the callee sent the error. Otherwise the caller's thread gave the call up, or could not make it. */
export function countFailure(words: Int32Array, uid: number, answered: boolean, error: unknown): void {
  const ours = isActorError(error);
  const outcome = ours ? (BY_CODE[error.code] ?? "error") : answered ? "failure" : "error";
  count(words, uid, CALL_OUTCOMES.indexOf(outcome));
}

function count(words: Int32Array, uid: number, outcome: number): void {
  // The actor may be gone for good, and its slot another's.
  if (uidOf(words) === uid) Atomics.add(words, CALLS + outcome, 1);
}
