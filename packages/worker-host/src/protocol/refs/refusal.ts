import { ActorError } from "../errors/errors.js";

// By identity: an error that came in a reply, whatever it says, is another object.
const refusals = new WeakSet<object>();

/** ERR_NOPROC for a message that its mailbox has not accepted. */
export function noproc(to: { readonly id: string }, method: string): ActorError {
  const message = `id=${to.id} method=${method}: no such actor (stopped or never restarted)`;
  const error = new ActorError("ERR_NOPROC", message, { id: to.id, method });
  refusals.add(error);
  return error;
}

/** True when the message was not accepted, so it may be sent to another actor and is not handled twice. */
export function wasRefused(error: unknown): boolean {
  return typeof error === "object" && error !== null && refusals.has(error);
}

export function taskAborted(id: string, signal: AbortSignal): ActorError {
  return new ActorError("ERR_CALL_ABORTED", `id=${id}: the task was aborted`, { id, cause: signal.reason });
}
