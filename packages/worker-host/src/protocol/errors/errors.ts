import type { InspectOptions, inspect } from "node:util";
import { classNameOf } from "./describe.js";
import type { ActorErrorCode, FactName, FactsByCode } from "./facts.js";
import { INSPECT, inspectError } from "./inspect-error.js";

export type { ActorErrorCode };

// Registered symbols, so that two copies of this package in one process recognise each other's errors.
const ACTOR_ERROR = Symbol.for("mini-otp.ActorError");
const REPLY_ERROR = Symbol.for("mini-otp.ReplyError");

/** What a class that extends `ActorError` is made from: which facts it has depends on its code. */
export interface ActorErrorBase extends Error, Readonly<Partial<Record<FactName, unknown>>> {
  readonly code: ActorErrorCode;
}

/** An error of one code, with the facts of that code. */
export type ErrorWithCode<C extends ActorErrorCode> = Error & { readonly code: C } & Readonly<FactsByCode[C]>;

/** The facts of other codes, which an error of this code does not have. */
export type FactsOfOthers<C extends ActorErrorCode> = {
  readonly [Name in Exclude<FactName, keyof FactsByCode[C]>]?: undefined;
};

/** An error of any code. Each fact can be read, and is undefined where its code has no such fact. */
export type AnyActorError = { [C in ActorErrorCode]: ErrorWithCode<C> & FactsOfOthers<C> }[ActorErrorCode];

/**
 * Every error the runtime itself throws. `code` says which, and facts about the failure are own properties: see
 * `FactsByCode`. `isActorError(error, code)` and a comparison of `error.code` narrow to the facts of that code.
 */
export type ActorError<C extends ActorErrorCode = ActorErrorCode> = [ActorErrorCode] extends [C]
  ? AnyActorError
  : C extends ActorErrorCode
    ? ErrorWithCode<C>
    : never;

/** What an error of this code is given to tell: all of the code's facts or, in a test of your own, none. */
export type FactsArgument<C extends ActorErrorCode> = FactsByCode[C] & { readonly cause?: unknown };

/** What a class that extends `ActorError` passes on. */
export type ActorErrorArguments = {
  [C in ActorErrorCode]: [code: C, message: string, facts?: FactsArgument<C>];
}[ActorErrorCode];

/** `ActorError` as a class. `error instanceof ActorError` narrows as `isActorError` does. */
export interface ActorErrorConstructor {
  new <C extends ActorErrorCode>(code: C, message: string, facts?: FactsArgument<C>): ActorError<C>;
  new (...given: ActorErrorArguments): ActorErrorBase;
  readonly prototype: ActorErrorBase;
  [Symbol.hasInstance]<P>(
    this: { readonly prototype: P },
    error: unknown,
  ): error is ActorErrorBase extends P ? ActorError : P;
}

export const ActorError = class ActorError extends Error {
  static {
    Object.defineProperty(this.prototype, "name", { value: "ActorError", configurable: true, writable: true });
    Object.defineProperty(this.prototype, ACTOR_ERROR, { value: true });
    Object.defineProperty(this, Symbol.hasInstance, { value: instanceOfAnyCopy(this, ACTOR_ERROR) });
  }

  readonly code: ActorErrorCode;

  constructor(code: ActorErrorCode, message: string, facts: Record<string, unknown> = {}) {
    const { cause, ...rest } = facts ?? {};
    super(message, cause === undefined ? undefined : { cause });
    // V8 writes the stack when it is first read, with the name that the error has then: it may have a fact `name`.
    if (Object.hasOwn(rest, "name")) void this.stack;
    Object.assign(this, rest);
    this.code = code;
  }

  override toString(): string {
    return `${classNameOf(this)}: ${this.message}`;
  }

  [INSPECT](depth: number, options: InspectOptions, show: typeof inspect): string {
    return inspectError(this, depth, options, show);
  }
} as unknown as ActorErrorConstructor;

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
export function isActorError<C extends ActorErrorCode = ActorErrorCode>(
  error: unknown,
  code?: C,
): error is ActorError<C> {
  return isBranded(error, ACTOR_ERROR) && (code === undefined || (error as ActorErrorBase).code === code);
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
