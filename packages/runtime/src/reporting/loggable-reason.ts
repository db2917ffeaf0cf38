import { describe, type ExitReason, isError, shorten } from "@mini-otp/worker-host/protocol/errors";
import pino from "pino";

/** The most characters of an error's message, and of its stack. */
const ERROR_CHARS = 16_384;

/** An exit reason with its error in the form loggers print. Never throws. */
export function loggableReason(reason: ExitReason): object {
  const { error, ...rest } = reason as { error?: unknown };
  return isError(error) ? { ...rest, err: serialized(error) } : reason;
}

function serialized(error: Error): object {
  try {
    const { message, stack, ...rest } = pino.stdSerializers.err(error);
    return { ...rest, message: text(message), stack: text(stack) };
  } catch {
    return { message: describe(error) };
  }
}

/** The application may have replaced the stack by a value that is not a text. */
function text(value: unknown): unknown {
  return typeof value === "string" ? shorten(value, ERROR_CHARS) : undefined;
}
