import { describeExit, type ExitReason } from "@mini-otp/runtime";
import type { ExitText } from "../ui/wire.js";

const LINE_CHARS = 1000;
const STACK_CHARS = 8000;

/** Shortens a text to at most `chars` characters, with a mark where it was cut. */
export function cut(text: string, chars = LINE_CHARS): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}… (${text.length - chars} more)`;
}

export function exitText(reason: ExitReason): ExitText {
  return { kind: reason.kind, text: cut(describeExit(reason)) };
}

/** An error's name, message and stack, and those of its causes; for another value its printed form. */
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
