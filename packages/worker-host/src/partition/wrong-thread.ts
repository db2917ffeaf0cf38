import { ActorError } from "../protocol/errors/errors.js";

/** For what would block all actors of a thread. */
export function blocks(id: string, what: string, instead: string): ActorError {
  const message = `id=${id}: ${what} would block every actor of this thread; use ${instead}`;
  return new ActorError("ERR_WRONG_THREAD", message, { id });
}

/** For what only an actor with a thread of its own can do. */
export function ownThreadOnly(id: string, what: string): ActorError {
  return new ActorError("ERR_WRONG_THREAD", `id=${id}: ${what} is for an actor with a thread of its own`, { id });
}
