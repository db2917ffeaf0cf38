import { types } from "node:util";
import { MessagePort } from "node:worker_threads";
import { ActorError } from "../errors/errors.js";
import { isObjectPrototype } from "../errors/realms.js";

const MESSAGE_PORT = "a MessagePort, which changes hands";
const PROMISE = "a promise";
const URL_OBJECT = "an instance of URL, which has methods";
/** What to do with what cannot be sent, where there is more to say than that. */
const ADVICE: Readonly<Record<string, string>> = {
  [MESSAGE_PORT]: "list it in with({ transfer })",
  [PROMISE]: "forgotten await?",
  [URL_OBJECT]: "send its href",
};

/** Thrown for a value that no message can carry. `what` says what it is. */
export class Obstacle {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/**
 * A clone of a platform object that structured cloning preserves: shared memory, a Blob, a key, a compiled module.
 * Their data is in internal slots. An object with properties is the user's, and is not tried, because a property may
 * hold a closed MessagePort: cloning one ends the process with SIGSEGV (Node 20 to 26).
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

/** Says why an object is more than data; undefined when it is data. */
export function obstacleOf(object: object): string | undefined {
  for (
    let level = Object.getPrototypeOf(object) as object | null;
    level !== null && !isObjectPrototype(level);
    level = Object.getPrototypeOf(level) as object | null
  ) {
    if (Reflect.ownKeys(level).some((key) => key !== "constructor")) {
      if (types.isPromise(object)) return PROMISE;
      return object instanceof MessagePort ? MESSAGE_PORT : `an instance of ${nameOf(object)}, which has methods`;
    }
  }
  return undefined;
}

function nameOf(object: object): string {
  const name = (object as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === "string" && name !== "" ? name : "a class";
}

/** `cause` is an Obstacle, or the value that a getter or a trap has thrown. */
export function notCloneable(path: string, cause: unknown): ActorError {
  const shown = path.length <= 200 ? path : `${path.slice(0, 200)}…`;
  if (!(cause instanceof Obstacle)) {
    return new ActorError("ERR_NOT_CLONEABLE", `${shown} cannot be read: ${wordsOf(cause)}`, { path, cause });
  }
  const { what } = cause;
  const advice = ADVICE[what] ?? "a message carries data only";
  return new ActorError("ERR_NOT_CLONEABLE", `${shown} is ${what}; ${advice}`, { path });
}

function wordsOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    return "it threw what cannot be printed";
  }
}
