/** Every code an `ActorError` can carry. Stable: branch on these, never on messages. */
export type ActorErrorCode =
  | "ERR_ACTOR_MODULE"
  | "ERR_ALREADY_PRESENT"
  | "ERR_ALREADY_STARTED"
  | "ERR_CALLING_SELF"
  | "ERR_CALL_ABORTED"
  | "ERR_CALL_CYCLE"
  | "ERR_CALL_EXIT"
  | "ERR_CALL_TIMEOUT"
  | "ERR_HEAP_CAP_INEFFECTIVE"
  | "ERR_INIT_FAILED"
  | "ERR_INIT_TIMEOUT"
  | "ERR_INVALID_CHILD_SPEC"
  | "ERR_INVALID_OPTION"
  | "ERR_MAILBOX_FULL"
  | "ERR_MAX_CHILDREN"
  | "ERR_MESSAGE_TOO_LARGE"
  | "ERR_NAME_TAKEN"
  | "ERR_NO_KEY"
  | "ERR_NOPROC"
  | "ERR_NOT_AN_ACTOR"
  | "ERR_NOT_CLONEABLE"
  | "ERR_NOT_FOUND"
  | "ERR_RESTARTING"
  | "ERR_RUNNING"
  | "ERR_SYSTEM_STOPPED"
  | "ERR_UNKNOWN_METHOD"
  | "ERR_WRONG_THREAD";

// Registered symbols, so that two copies of this package in one process recognise each other's errors.
const ACTOR_ERROR = Symbol.for("mini-otp.ActorError");
const REPLY_ERROR = Symbol.for("mini-otp.ReplyError");

/**
 * Every error the runtime itself throws. `code` says which; facts about the failure
 * (`id`, `method`, `reason`, `timeoutMs`, …) are own properties named in the code's documentation.
 */
export class ActorError extends Error {
  static {
    Object.defineProperty(this.prototype, "name", { value: "ActorError", configurable: true, writable: true });
    Object.defineProperty(this.prototype, ACTOR_ERROR, { value: true });
    Object.defineProperty(this, Symbol.hasInstance, { value: instanceOfAnyCopy(this, ACTOR_ERROR) });
  }

  readonly code: ActorErrorCode;
  [fact: string]: unknown;

  constructor(code: ActorErrorCode, message: string, facts: Record<string, unknown> = {}) {
    const { cause, ...rest } = facts ?? {};
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, rest);
    this.code = code;
  }
}

/**
 * Thrown by a handler to fail the call and keep the actor: the caller's promise rejects with it,
 * the actor's state stays. Any other throw crashes the actor.
 */
export class ReplyError extends Error {
  static {
    Object.defineProperty(this.prototype, "name", { value: "ReplyError", configurable: true, writable: true });
    Object.defineProperty(this.prototype, REPLY_ERROR, { value: true });
    Object.defineProperty(this, Symbol.hasInstance, { value: instanceOfAnyCopy(this, REPLY_ERROR) });
  }

  /** The author's own code, free-form. */
  readonly code?: string;
  /** Any message value: what the caller needs to know. */
  readonly data?: unknown;

  constructor(message: string, options: { code?: string; data?: unknown; cause?: unknown } = {}) {
    const { cause, code, data } = options ?? {};
    super(message, cause === undefined ? undefined : { cause });
    if (code !== undefined) this.code = code;
    if (data !== undefined) this.data = data;
  }
}

/** True for an `ActorError` (with this `code`, when one is given), also from another copy of the package. */
export function isActorError(error: unknown, code?: ActorErrorCode): error is ActorError {
  return isBranded(error, ACTOR_ERROR) && (code === undefined || (error as ActorError).code === code);
}

/** True for a `ReplyError`, also from another copy of the package. */
export function isReplyError(error: unknown): error is ReplyError {
  return isBranded(error, REPLY_ERROR);
}

function isBranded(error: unknown, brand: symbol): boolean {
  if (typeof error !== "object" || error === null) return false;
  try {
    return (error as Record<symbol, unknown>)[brand] === true;
  } catch {
    // A Proxy: whatever it stands for, it is no error of ours.
    return false;
  }
}

/** Has `isActorError` know the instances of a class that is not `ActorError`. */
export function brandAsActorError(prototype: object): void {
  Object.defineProperty(prototype, ACTOR_ERROR, { value: true });
}

/** `instanceof` for a class of which each thread has more than one copy. A class that extends it is one of its own. */
function instanceOfAnyCopy(own: unknown, brand: symbol): (this: unknown, error: unknown) => boolean {
  return function (error) {
    return this === own ? isBranded(error, brand) : Function.prototype[Symbol.hasInstance].call(this, error);
  };
}
