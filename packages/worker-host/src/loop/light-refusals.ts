import { ActorError } from "../protocol/errors/errors.js";
import { invalidOption } from "../protocol/errors/invalid-option.js";

/** For what would block all actors of a thread. */
export function blocks(id: string, what: string, instead: string): ActorError {
  const message = `id=${id}: ${what} would block every actor of this thread; use ${instead}`;
  return new ActorError("ERR_WRONG_THREAD", message, { id });
}

/** For what only an actor with a thread of its own can do. */
export function ownThreadOnly(id: string, what: string): ActorError {
  return new ActorError("ERR_WRONG_THREAD", `id=${id}: ${what} is for an actor with a thread of its own`, { id });
}

/** For what code still asks of the context of a life that has ended. */
export function lifeEnded(id: string): ActorError {
  return new ActorError("ERR_NOPROC", `id=${id}: this life of the actor has ended`, { id, method: "ctx" });
}

/** For `hand`: what is handed over is not copied, so there is nothing that a second life could be given. */
export function handedOnce(what: string, hand: unknown): Error {
  const allowed = 'nothing, or restart "temporary"';
  const facts = { function: what, field: "hand", value: hand, allowed };
  return invalidOption(`${what}: hand is given to an actor that is started again, must be ${allowed}`, facts);
}
