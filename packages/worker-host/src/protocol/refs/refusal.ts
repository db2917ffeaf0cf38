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
export function noConnection(to: { readonly id: string }, method: string): ActorError {
  return unsent("ERR_NO_CONNECTION", to, method, (node) => `there is no connection to node ${node}`);
}

function incompatible(to: { readonly id: string }, method: string): ActorError {
  const why = "has another version of the cluster's protocol; give all nodes versions that are next to each other";
  return unsent("ERR_NODE_INCOMPATIBLE", to, method, (node) => `node ${node} ${why}`);
}

function unsent(
  code: "ERR_NO_CONNECTION" | "ERR_NODE_INCOMPATIBLE",
  { id }: { readonly id: string },
  method: string,
  why: (node: string) => string,
): ActorError {
  // What stands before the path.
  const node = id.slice(0, Math.max(0, id.indexOf(":")));
  const message = `id=${id} method=${method}: ${why(node)}; the message was not handled`;
  const error = new ActorError(code, message, { id, method, node });
  refusals.add(error);
  return error;
}

export const RUNNING_ALREADY = "is running already; error.ref is its reference";

/** ERR_ALREADY_STARTED for an id that a running actor has. */
export function alreadyStarted(id: string, ref: object): ActorError<"ERR_ALREADY_STARTED"> {
  return new ActorError("ERR_ALREADY_STARTED", `${id} ${RUNNING_ALREADY}`, { id, ref });
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
