import type { InspectOptions, inspect } from "node:util";
import { classNameOf } from "./describe.js";
import { isError } from "./realms.js";
import { withoutRuntimeFrames } from "./shown-stack.js";

/** `util.inspect.custom`. */
export const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * What `console.log` and `util.inspect` show of an error of the runtime: the frames of the application, then the
 * facts. The error in a reason is one line there if its frames are shown above or below. `error.stack` keeps all frames,
 * and so does what is shown where the environment has `MINI_OTP_STACKS=full`.
 */
export function inspectError(error: Error, depth: number, options: InspectOptions, show: typeof inspect): string {
  const stack = String(error.stack);
  const full = process.env.MINI_OTP_STACKS === "full";
  const shown = copyOf(error, full ? stack : withoutRuntimeFrames(stack));
  const { reason } = error as { reason?: unknown };
  const within = typeof reason === "object" ? (reason as { error?: unknown } | null)?.error : undefined;
  const isCause = within === error.cause;
  if (isError(within) && (isCause || hasFrames(stack, within)))
    replace(shown, "reason", { ...(reason as object), error: named(within) });
  if (isError(error.cause) && hasFrames(stack, error.cause)) replace(shown, "cause", named(error.cause));
  return show(shown, { ...options, depth });
}

function hasFrames(stack: string, error: Error): boolean {
  const first = /^ +at .*/m.exec(String(error.stack))?.[0];
  return first === undefined || stack.includes(first);
}

/** Shown in one line, with its own properties. */
function named(error: Error): Error {
  return copyOf(error, `${classNameOf(error)}: ${error.message}`);
}

function copyOf(error: Error, stack: string): Error {
  const copy = Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error)) as Error;
  replace(copy, "stack", stack);
  // `inspect` writes the name into the stack's first line.
  if (error.name !== classNameOf(error))
    Object.defineProperty(copy, "name", { value: classNameOf(error), enumerable: false });
  Object.defineProperty(copy, INSPECT, { value: undefined });
  return copy;
}

function replace(error: Error, key: string, value: unknown): void {
  const enumerable = Object.getOwnPropertyDescriptor(error, key)?.enumerable ?? false;
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}
