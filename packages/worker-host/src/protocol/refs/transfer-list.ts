import { types } from "node:util";
import { ActorError, isActorError } from "../errors/errors.js";

/**
 * Finds what would fail only when the message is on its way. Throws ERR_NOT_CLONEABLE with the `path`
 * (`transfer[0]`); what only the platform knows of, a port that is closed say, is left to it.
 */
export function checkTransferList(list: readonly unknown[]): void {
  list.forEach((object, index) => {
    const obstacle = obstacleOf(object) ?? (list.indexOf(object) < index ? "is in the list twice" : undefined);
    if (obstacle === undefined) return;
    const path = `transfer[${index}]`;
    throw new ActorError("ERR_NOT_CLONEABLE", `${path} ${obstacle}`, { path });
  });
}

/** What a value was on its way to: the actor or the pool, and the method. */
export interface Destination {
  readonly id?: string;
  readonly method?: string;
}

/** `error`; an ERR_NOT_CLONEABLE that does not say for whom the value was is one that does. */
export function uncloneableFor(to: Destination, error: unknown): unknown {
  if (!isActorError(error, "ERR_NOT_CLONEABLE") || error.id !== undefined) return error;
  const { message, path, cause } = error;
  return new ActorError("ERR_NOT_CLONEABLE", `${wordsOf(to)}${message}`, { ...to, path, cause });
}

/** What the platform says of something in a transfer list, when it is too late to ask what. */
export function notTransferable(to: Destination, cause: unknown, part = ""): ActorError {
  if (isActorError(cause, "ERR_NOT_CLONEABLE")) return uncloneableFor(to, cause) as ActorError;
  const { message = "it cannot change hands" } = (cause ?? {}) as { message?: unknown };
  const path = "transfer";
  return new ActorError("ERR_NOT_CLONEABLE", `${wordsOf(to, part)}${path}: ${String(message)}`, { ...to, path, cause });
}

/** Something that changes hands did so before, or has gone while the message waited. */
export function transferLost(to: Destination, part = ""): ActorError {
  const path = "transfer";
  return new ActorError("ERR_NOT_CLONEABLE", `${wordsOf(to, part)}what it transfers is gone`, { ...to, path });
}

function wordsOf({ id, method }: Destination, part = ""): string {
  const names = [...(id === undefined ? [] : [`id=${id}`]), ...(method === undefined ? [] : [`method=${method}`])];
  return [names.join(" "), part].map((words) => (words === "" ? "" : `${words}: `)).join("");
}

function obstacleOf(object: unknown): string | undefined {
  if (typeof object !== "object" || object === null) return "is no object: only ArrayBuffers and ports change hands";
  if (types.isSharedArrayBuffer(object)) return "is a SharedArrayBuffer, which both sides have: leave it out";
  if (ArrayBuffer.isView(object)) return `is a ${object.constructor.name}: transfer its buffer`;
  if (object instanceof ArrayBuffer && isDetached(object)) return "has changed hands already";
  return undefined;
}

/** `detached` itself is not there before Node 21. */
export function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    return new Uint8Array(buffer) === undefined;
  } catch {
    return true;
  }
}
