import { ActorError, type ActorErrorCode, ReplyError } from "./errors.js";

/** An error as a plain message value. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Own enumerable properties, `code` and `cause` among them, as far as they are message values. */
  readonly own: [string, unknown][];
}

const MAX_CAUSES = 16;
const BUILT_IN: Record<string, new (message: string) => Error> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/**
 * Takes an error apart without running into its traps: a getter that throws costs only its own property.
 * `keep` turns an own property's value into a message value, or throws when it is none.
 */
export function toPlainError(error: Error, keep: (value: unknown) => unknown, depth = 0): PlainError {
  const own: [string, unknown][] = [];
  const add = (key: string): void => {
    const value = read(error, key);
    if (value === undefined) return;
    if (value instanceof Error) {
      if (depth < MAX_CAUSES) own.push([key, { [NESTED]: toPlainError(value, keep, depth + 1) }]);
      return;
    }
    try {
      own.push([key, keep(value)]);
    } catch {
      // Not a message value: the error goes on without it.
    }
  };
  for (const key of ownKeys(error)) {
    if (key !== "name" && key !== "message" && key !== "stack") add(key);
  }
  const stack = read(error, "stack");
  return {
    name: text(read(error, "name"), "Error"),
    message: text(read(error, "message"), ""),
    ...(typeof stack === "string" ? { stack } : {}),
    own,
  };
}

/** The error again: of its own class where that is built in or ours, else an `Error` with its name. */
export function fromPlainError(plain: PlainError): Error {
  const own = plain.own.map(([key, value]): [string, unknown] => {
    const nested =
      typeof value === "object" && value !== null ? (value as { [NESTED]?: PlainError })[NESTED] : undefined;
    return [key, nested === undefined ? value : fromPlainError(nested)];
  });
  const error = revive(plain, own);
  for (const [key, value] of own) {
    Object.defineProperty(error, key, { value, enumerable: key !== "cause", configurable: true, writable: true });
  }
  if (plain.stack !== undefined) {
    Object.defineProperty(error, "stack", {
      value: plain.stack,
      enumerable: false,
      configurable: true,
      writable: true,
    });
  }
  return error;
}

/** Adds where the call was made to a stack that says where it failed. */
export function joinStacks(error: unknown, callerStack: string | undefined, calleeId: string): void {
  if (!(error instanceof Error) || callerStack === undefined) return;
  const frames = callerStack.slice(callerStack.indexOf("\n") + 1);
  const stack = `${error.stack ?? `${error.name}: ${error.message}`}\n    -- in ${calleeId}, called from --\n${frames}`;
  Object.defineProperty(error, "stack", { value: stack, enumerable: false, configurable: true, writable: true });
}

// A key that no user's object has by accident: nested errors travel inside `own`.
const NESTED = "\u0000error";

function revive(plain: PlainError, own: [string, unknown][]): Error {
  const fact = (key: string): unknown => own.find(([name]) => name === key)?.[1];
  if (plain.name === "ActorError") return new ActorError(fact("code") as ActorErrorCode, plain.message);
  if (plain.name === "ReplyError") return new ReplyError(plain.message);
  const Class = Object.hasOwn(BUILT_IN, plain.name) ? BUILT_IN[plain.name] : Error;
  const error = new Class(plain.message);
  if (error.name !== plain.name) {
    Object.defineProperty(error, "name", { value: plain.name, enumerable: false, configurable: true, writable: true });
  }
  return error;
}

function ownKeys(error: Error): string[] {
  try {
    const keys = Object.keys(error);
    return "cause" in error && !keys.includes("cause") ? [...keys, "cause"] : keys;
  } catch {
    return [];
  }
}

function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
