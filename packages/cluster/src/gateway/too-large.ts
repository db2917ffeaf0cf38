import { ActorError } from "@mini-otp/worker-host/protocol/errors";

/** ERR_MESSAGE_TOO_LARGE of what one of the two nodes does not take: a message, or the answer to one. */
export function tooLarge(id: string, method: string, bytes: number, limit: number, what = "a message"): ActorError {
  const message = `id=${id} method=${method}: ${what} of ${bytes} bytes is over the limit between the nodes of ${limit}`;
  return new ActorError("ERR_MESSAGE_TOO_LARGE", message, { id, method, bytes, limit });
}
