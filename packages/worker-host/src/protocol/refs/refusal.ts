import { ActorError } from "../errors/errors.js";
import { CLOSED_FOR, CLOSED_INCOMPATIBLE, CLOSED_UNCONNECTED } from "../memory/slot-descriptor.js";

// By identity: an error that came in a reply, whatever it says, is another object.
const refusals = new WeakSet<object>();

/** ERR_NOPROC for a message that its mailbox has not accepted. `why` is what the sender knows of the reason. */
export function noproc(
  to: { readonly id: string },
  method: string,
  why = "stopped or never restarted",
): ActorError<"ERR_NOPROC"> {
  const message = `id=${to.id} method=${method}: no such actor (${why})`;
  const error = new ActorError("ERR_NOPROC", message, { id: to.id, method });
  refusals.add(error);
  return error;
}

/** A closed slot's refusal: ERR_NOPROC, or ERR_NO_CONNECTION or ERR_NODE_INCOMPATIBLE where the actor may run on another node. */
export function refused(
  to: { readonly id: string; readonly words: Int32Array },
  method: string,
  whyGone: string | undefined,
): ActorError {
  switch (to.words[CLOSED_FOR]) {
    case CLOSED_UNCONNECTED:
      return noConnection(to, method);
    case CLOSED_INCOMPATIBLE:
      return incompatible(to, method);
    default:
      return noproc(to, method, whyGone);
  }
}

/** ERR_NO_CONNECTION for a message that has not left this process: it was certainly not handled. */
export function noConnection({ id }: { readonly id: string }, method: string): ActorError {
  const node = nodeIn(id);
  const message = `id=${id} method=${method}: there is no connection to node ${node}; the message was not handled`;
  const error = new ActorError("ERR_NO_CONNECTION", message, { id, method, node });
  refusals.add(error);
  return error;
}

/** ERR_NODE_INCOMPATIBLE, of such a message, too. */
function incompatible({ id }: { readonly id: string }, method: string): ActorError {
  const node = nodeIn(id);
  const why = `node ${node} has another version of the cluster's protocol; give all nodes versions that are next to each other`;
  const message = `id=${id} method=${method}: ${why}; the message was not handled`;
  const error = new ActorError("ERR_NODE_INCOMPATIBLE", message, { id, method, node });
  refusals.add(error);
  return error;
}

/** What stands before the path. */
function nodeIn(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf(":")));
}

/** True when the message was not accepted, so it may be sent to another actor and is not handled twice. */
export function wasRefused(error: unknown): boolean {
  return typeof error === "object" && error !== null && refusals.has(error);
}

/** For a message of a light actor that has to do with a stream. */
export function noStreams(id: string, method: string): ActorError {
  const message = `id=${id} method=${method}: a light actor neither sends nor reads streams; give it a thread of its own`;
  return new ActorError("ERR_NO_STREAM", message, { id, method });
}

export function callAborted(id: string, method: string, signal: AbortSignal): ActorError {
  const facts = { id, method, cause: signal.reason };
  return new ActorError("ERR_CALL_ABORTED", `id=${id} method=${method}: the call was aborted`, facts);
}

export function taskAborted(id: string, signal: AbortSignal): ActorError {
  return new ActorError("ERR_CALL_ABORTED", `id=${id}: the task was aborted`, { id, cause: signal.reason });
}
