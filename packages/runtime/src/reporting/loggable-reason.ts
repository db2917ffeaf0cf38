import {
  describe,
  type ExitReason,
  isActorError,
  isError,
  shorten,
  withoutRuntimeFrames,
} from "@mini-otp/worker-host/protocol/errors";
import { LOG_LEVELS, type LogLevel } from "@mini-otp/worker-host/protocol/port";
import pino from "pino";

/** The most characters of an error's message, and of its stack. */
const ERROR_CHARS = 16_384;
/** Reasons within reasons, and causes of causes: what the runtime makes has a few. */
const MAX_NESTED = 16;

/**
 * Brings exit reasons into the form that loggers print. Each error's stack is in one record, the first: later records
 * name the error, and do not repeat its stack.
 */
export class LoggableReasons {
  readonly #fullStacks: boolean;
  readonly #lowest: () => number;
  /** The record at hand is one that is logged. */
  #tells = true;
  readonly #told = new WeakSet<Error>();

  /** `lowest` says the lowest level that is logged, because a record below it tells nothing. */
  constructor(fullStacks = false, lowest: () => number = () => LOG_LEVELS.trace) {
    this.#fullStacks = fullStacks;
    this.#lowest = lowest;
  }

  /** For a record of this level. Never throws. */
  of(reason: ExitReason, level: LogLevel): object {
    this.#tells = LOG_LEVELS[level] >= this.#lowest();
    try {
      return this.#loggable(reason, 0);
    } catch {
      return { kind: describe(reason.kind) };
    }
  }

  /**
   * An error in a record of the runtime's own, of this level. One of the runtime's tells of an exit: as `of` tells of it,
   * and without those frames that a record has shown. Any other value is itself. Never throws.
   */
  shown(error: unknown, level: LogLevel): unknown {
    this.#tells = LOG_LEVELS[level] >= this.#lowest();
    try {
      if (!isActorError(error) || !isReason(error.reason)) return error;
      const stack = this.#fullStacks ? error.stack : this.#withoutTold(error.stack, error.reason);
      const copy = Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error));
      Object.defineProperty(copy, "stack", { value: this.#shown(stack), configurable: true, writable: true });
      return Object.assign(copy, { reason: this.#loggable(error.reason, 0) });
    } catch {
      return error;
    }
  }

  /** A call that its callee's crash has failed shows where that failed, which the record of the crash has shown. */
  #withoutTold(stack: string | undefined, reason: ExitReason): string | undefined {
    const { error } = reason as { readonly error?: unknown };
    if (typeof stack !== "string" || !isError(error) || !this.#told.has(error)) return stack;
    const told = new Set(String(error.stack).split("\n"));
    return stack
      .split("\n")
      .filter((line) => !told.has(line))
      .join("\n");
  }

  #loggable(reason: object, depth: number): object {
    const { error, ...rest } = reason as { error?: unknown };
    const fields: Record<string, unknown> = isError(error)
      ? { ...rest, err: this.#serialized(error, depth) }
      : { ...reason };
    // The reason of the child for which a supervisor gave up.
    for (const key of ["detail", "reason"]) {
      const inner = fields[key];
      if (isReason(inner) && depth < MAX_NESTED) fields[key] = this.#loggable(inner, depth + 1);
    }
    return fields;
  }

  #serialized(error: Error, depth: number): object {
    try {
      const { message, stack: _, ...rest } = this.#plain(pino.stdSerializers.err(error), 0);
      const { reason } = rest;
      if (isReason(reason) && depth < MAX_NESTED) rest.reason = this.#loggable(reason, depth + 1);
      return { ...rest, message: text(message), stack: this.#stackOf(error) };
    } catch {
      return { message: describe(error) };
    }
  }

  /** Without the error itself, which pino keeps under a symbol: a console would print it, and its stack once more. */
  #plain(serialized: object, depth: number): Record<string, unknown> {
    const fields: Record<string, unknown> = Object.fromEntries(Object.entries(serialized));
    const { aggregateErrors: parts } = fields;
    if (!Array.isArray(parts) || depth === MAX_NESTED) return fields;
    fields.aggregateErrors = parts.map((part) => {
      const plain = this.#plain(part, depth + 1);
      return { ...plain, stack: this.#shown(plain.stack) };
    });
    return fields;
  }

  /** With the stacks of its causes, as pino writes them. */
  #stackOf(error: Error): string | undefined {
    if (this.#told.has(error)) return undefined;
    const stacks: string[] = [];
    for (let each: unknown = error; isError(each) && stacks.length < MAX_NESTED; each = each.cause) {
      const stack = this.#told.has(each) ? describe(each) : this.#shown(each.stack);
      if (stack === undefined) break;
      stacks.push(stack);
      if (this.#told.has(each)) break;
      if (this.#tells) this.#told.add(each);
    }
    return stacks.length === 0 ? undefined : shorten(stacks.join("\ncaused by: "), ERROR_CHARS);
  }

  /** The application may have replaced the stack by a value that is not a text. */
  #shown(stack: unknown): string | undefined {
    if (typeof stack !== "string") return undefined;
    return this.#fullStacks ? stack : withoutRuntimeFrames(stack);
  }
}

function isReason(value: unknown): value is object {
  return typeof value === "object" && value !== null && typeof (value as { kind?: unknown }).kind === "string";
}

function text(value: unknown): unknown {
  return typeof value === "string" ? shorten(value, ERROR_CHARS) : undefined;
}
