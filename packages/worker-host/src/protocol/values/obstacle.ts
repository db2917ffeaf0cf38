import { types } from "node:util";
import { MessagePort } from "node:worker_threads";
import { ActorError } from "../errors/errors.js";
import { isObjectPrototype } from "../errors/realms.js";

const MESSAGE_PORT = "a MessagePort, which changes hands";

/** Why a value has no place in a message. */
export class Obstacle {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/**
 * A copy of what structured cloning keeps as what it is: shared memory, a Blob, a key, a compiled module. All it has is in
 * places of its own. What has properties is the user's, and is not tried: to clone a MessagePort that is closed ends the
 * process with SIGSEGV (Node 20 to 26), and one may be in them.
 */
export function platformCopy(object: object): object | undefined {
  if (types.isSharedArrayBuffer(object)) return object;
  if (object instanceof MessagePort) return undefined;
  const isBoxed = types.isBoxedPrimitive(object);
  if (!isBoxed && Object.keys(object).some((key) => key !== "constructor")) return undefined;
  try {
    const copy = structuredClone(object);
    if (isBoxed) return copy;
    return Object.prototype.isPrototypeOf.call(Object.getPrototypeOf(object) as object, copy) ? copy : undefined;
  } catch {
    return undefined;
  }
}

/** Why an object is more than data, or undefined. */
export function obstacleOf(object: object): string | undefined {
  for (
    let level = Object.getPrototypeOf(object) as object | null;
    level !== null && !isObjectPrototype(level);
    level = Object.getPrototypeOf(level) as object | null
  ) {
    if (Reflect.ownKeys(level).some((key) => key !== "constructor")) {
      const name = nameOf(object);
      return object instanceof MessagePort ? MESSAGE_PORT : `an instance of ${name}, which has methods`;
    }
  }
  return undefined;
}

function nameOf(object: object): string {
  const name = (object as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === "string" && name !== "" ? name : "a class";
}

/** `cause` is an Obstacle, or what the value itself has thrown while it was read. */
export function notCloneable(path: string, cause: unknown): ActorError {
  const shown = path.length <= 200 ? path : `${path.slice(0, 200)}…`;
  if (!(cause instanceof Obstacle)) {
    return new ActorError("ERR_NOT_CLONEABLE", `${shown} cannot be read: ${wordsOf(cause)}`, { path, cause });
  }
  const { what } = cause;
  const advice = what === MESSAGE_PORT ? "list it in with({ transfer })" : "a message carries data only";
  return new ActorError("ERR_NOT_CLONEABLE", `${shown} is ${what}; ${advice}`, { path });
}

function wordsOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    return "it threw what cannot be printed";
  }
}
