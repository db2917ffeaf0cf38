import { ActorError, isActorError, isReplyError, ReplyError } from "./errors.js";
import { isError } from "./realms.js";

/** What an error is whatever its name: 1 an ActorError, 2 a ReplyError, 3 a DOMException, or one of a class that extends it. */
export type ErrorBrand = 0 | 1 | 2 | 3;

export interface ErrorParts {
  readonly brand: ErrorBrand;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Own enumerable properties, and `cause`. */
  readonly own: readonly (readonly [string, unknown])[];
}

/** Takes an error apart without running into its traps: a getter that throws costs only its own property. */
export function partsOfError(error: Error): ErrorParts {
  const stack = read(error, "stack");
  return {
    brand: brandOf(error),
    name: text(read(error, "name"), "Error"),
    message: text(read(error, "message"), ""),
    stack: typeof stack === "string" ? stack : undefined,
    own: ownKeys(error)
      .filter((key) => key !== "name" && key !== "message" && key !== "stack")
      .map((key) => [key, read(error, key)] as const)
      .filter(([, value]) => value !== TRAPPED),
  };
}

function brandOf(error: Error): ErrorBrand {
  try {
    if (isActorError(error)) return 1;
    if (isReplyError(error)) return 2;
  } catch {
    return 0;
  }
  return read(error, Symbol.toStringTag) === "DOMException" ? 3 : 0;
}

const BUILT_IN = new Map<string, new (message: string) => Error>(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Class) => [Class.name, Class]),
);

/** The error again, without its own properties: of its own class where that is built in or ours, else an `Error` with its name. */
export function errorShell(brand: ErrorBrand, name: string, message: string, stack: string | undefined): Error {
  const error = revive(brand, name, message);
  if (error.name !== name) define(error, "name", name);
  if (stack !== undefined) define(error, "stack", stack);
  else delete (error as { stack?: string }).stack;
  return error;
}

/**
 * Adds to an error's stack, which says where it failed, where the call was made. Only here, on failure: while an
 * awaiting function resumes, V8 knows the functions that await it, so nothing has to be recorded for calls that succeed.
 */
export function joinStacks(error: unknown, calleeId: string): unknown {
  return withFrames(error, calleeId, [import.meta.url, ACTOR_REF]);
}

/** The same for an error that this thread may have made within the call: then its stack shows the caller already. */
export function withCaller(error: unknown, calleeId: string, module: string): unknown {
  return withFrames(error, calleeId, [import.meta.url, module], isShown);
}

/** `own` are the modules whose frames are left out. */
function withFrames(
  error: unknown,
  calleeId: string,
  own: readonly string[],
  isThere: (caller: readonly string[], stack: string) => boolean = () => false,
): unknown {
  if (!isError(error)) return error;
  const stack = read(error, "stack");
  // An application's `Error.prepareStackTrace` may throw, or make of a stack what it likes: then it stays as it is.
  const here = read(new Error(), "stack");
  if (typeof stack !== "string" || typeof here !== "string" || !isExtensible(error)) return error;
  const caller = here
    .split("\n")
    .slice(1)
    .filter((line) => !own.some((module) => line.includes(module)));
  if (!isThere(caller, stack))
    define(error, "stack", [stack, `    -- ${calleeId}, called from --`, ...caller].join("\n"));
  return error;
}

/** Whether a stack has a frame on the line of one of these, in whatever column. */
function isShown(frames: readonly string[], stack: string): boolean {
  return frames.some((frame) => {
    if (frame.includes("node:internal/")) return false;
    const line = /[^\s(]+:\d+(?=:\d+\)?$)/.exec(frame)?.[0];
    return line !== undefined && stack.includes(`${line}:`);
  });
}

/** Has `error` show where `origin` failed, instead of where this thread heard of it. */
export function takeFrames(error: Error, origin: unknown): Error {
  const stack = isError(origin) ? read(origin, "stack") : undefined;
  const frames = typeof stack === "string" ? /^ +at .*/ms.exec(stack) : null;
  if (frames !== null) define(error, "stack", `${error.name}: ${error.message}\n${frames[0]}`);
  return error;
}

const FULFILLED: Promise<void> = Promise.resolve();
const nothing = (): void => {};

/**
 * What a call's promise is resolved with when it fails: rejects with the error, its stacks joined. That is done two
 * microtasks later, when the call's promise waits for this one: from here V8 follows it to the functions that await it.
 */
export function rejectionOf(error: unknown, calleeId: string): Promise<never> {
  return FULFILLED.then(nothing).then(() => {
    throw joinStacks(error, calleeId);
  });
}

const ACTOR_REF = new URL("../refs/actor-ref.js", import.meta.url).href;

function revive(brand: ErrorBrand, name: string, message: string): Error {
  // Its code is among its own properties, which are set afterwards.
  if (brand === 1)
    return new (ActorError as unknown as new (code: undefined, message: string) => Error)(undefined, message);
  if (brand === 2) return new ReplyError(message);
  if (brand === 3) return new DOMException(message, name);
  if (name === "AggregateError") return new AggregateError([], message);
  return new (BUILT_IN.get(name) ?? Error)(message);
}

function define(error: Error, key: string, value: string): void {
  try {
    Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true });
  } catch {
    // The user has fixed it, or V8 makes the stack first, by the application's `Error.prepareStackTrace`, which throws.
  }
}

function isExtensible(error: Error): boolean {
  try {
    return Object.isExtensible(error);
  } catch {
    return false;
  }
}

function ownKeys(error: Error): string[] {
  try {
    const hidden = ["cause", "errors"].filter((key) => Object.hasOwn(error, key));
    return [...new Set([...Object.keys(error), ...hidden])];
  } catch {
    return [];
  }
}

const TRAPPED = Symbol("trapped");

function read(error: Error, key: string | symbol): unknown {
  try {
    return (error as unknown as Record<string | symbol, unknown>)[key];
  } catch {
    return TRAPPED;
  }
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
