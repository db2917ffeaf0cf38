import { Console } from "node:console";
import { formatWithOptions, inspect } from "node:util";
import { printable } from "@mini-otp/worker-host/protocol/errors";

/*
 * A text that an actor logs may come from a stranger, so nothing of it may act on the terminal. A tab does not, and a
 * newline only between the lines of a stack.
 */
const TAB = "\t";
const TAB_AND_NEWLINE = "\t\n";

/**
 * True for a logger that prints its lines as they are: a `Console`, or an object with its methods. Others escape in
 * their own way.
 */
export function printsText(logger: unknown): boolean {
  if (typeof logger !== "object" || logger === null) return false;
  const { error } = logger as { error?: unknown };
  return logger instanceof Console || (typeof error === "function" && Object.values(console).includes(error));
}

/** The streams that a console prints to. `console` itself swallows only the first of their errors. */
export function consoleStreams(logger: unknown): unknown[] {
  const { _stdout, _stderr } = (logger instanceof Console ? logger : console) as unknown as Record<string, unknown>;
  return [_stdout, _stderr];
}

/** A text of several lines, such as an error with its stack, for the terminal. */
export function printableLines(text: string): string {
  return printable(text, TAB_AND_NEWLINE);
}

/** The arguments of a line, fields first, as one text for a console's method, formatted as the console would. */
export function printableArgs(args: readonly unknown[]): string[] {
  const [first, ...rest] = args;
  const escaped = rest.map((arg) => (typeof arg === "string" ? printable(arg, TAB) : arg));
  const fields = typeof first === "string" ? "" : printableLines(inspect(first));
  const told =
    typeof first === "string"
      ? formatWithOptions({}, printable(first, TAB), ...escaped)
      : formatWithOptions({}, ...escaped);
  return ["%s", printableLines(fields === "" || told === "" ? fields + told : `${fields} ${told}`)];
}
