import { describeExit, type ExitReason } from "@mini-otp/runtime";
import type { ExitText } from "../ui/wire.js";

const LINE_CHARS = 1000;
const STACK_CHARS = 8000;

/** At most so many characters, with a sign of what is missing. */
export function cut(text: string, chars = LINE_CHARS): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}… (${text.length - chars} more)`;
}

export function exitText(reason: ExitReason): ExitText {
  return { kind: reason.kind, text: cut(describeExit(reason)) };
}

/** An error's name, message and stack, and those of its causes; of a value that is no error what can be printed. */
export function errorText(error: unknown): string {
  try {
    const parts: string[] = [];
    let cause: unknown = error;
    while (cause !== undefined && parts.length < 5) {
      if (!(cause instanceof Error)) {
        parts.push(String(cause));
        break;
      }
      const { name, message, stack = `${name}: ${message}` }: Error = cause;
      parts.push(stack);
      cause = cause.cause;
    }
    return cut(parts.join("\ncaused by "), STACK_CHARS);
  } catch {
    return "an error that cannot be printed";
  }
}
