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
  ERR_NO_CONNECTION: "noproc",
  ERR_NODE_INCOMPATIBLE: "noproc",
  ERR_CALL_ABORTED: "aborted",
  ERR_MAILBOX_FULL: "mailbox_full",
  ERR_CALL_CYCLE: "cycle",
};
const REPLY = 0;

export function countReply(words: Int32Array, uid: number): void {
  count(words, uid, REPLY);
}

/**
 * `answered`: the callee sent the error. Otherwise the caller's thread gave the call up, or could not make it. A code of
 * `BY_CODE` in an answer is how a call ended that the callee made, and that its handler passed on.
 */
export function countFailure(words: Int32Array, uid: number, answered: boolean, error: unknown): void {
  const code = isActorError(error) ? error.code : undefined;
  const ended = code === undefined ? undefined : BY_CODE[code];
  const passedOn = answered && (code === undefined || ended !== undefined);
  count(words, uid, CALL_OUTCOMES.indexOf(passedOn ? "failure" : (ended ?? "error")));
}

function count(words: Int32Array, uid: number, outcome: number): void {
  // The actor may be gone for good, and its slot another's.
  if (uidOf(words) === uid) Atomics.add(words, CALLS + outcome, 1);
}
