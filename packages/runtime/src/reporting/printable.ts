import { Console } from "node:console";
import { formatWithOptions, inspect } from "node:util";
import { printable } from "@mini-otp/worker-host/protocol/errors";

// What an actor logs may come from a stranger, so nothing of it acts on the terminal. A tab does not.
const TAB = "\t";
const TAB_AND_NEWLINE = "\t\n";

/** A logger that prints its lines as they are: a `Console`, or what has its methods. Others escape in their own way. */
export function printsText(logger: unknown): boolean {
  if (typeof logger !== "object" || logger === null) return false;
  const { error } = logger as { error?: unknown };
  return logger instanceof Console || (typeof error === "function" && Object.values(console).includes(error));
}

/** What it prints to: a console's own streams. `console` itself swallows only the first of their errors. */
export function consoleStreams(logger: unknown): unknown[] {
  const { _stdout, _stderr } = (logger instanceof Console ? logger : console) as unknown as Record<string, unknown>;
  return [_stdout, _stderr];
}

/** A text of several lines, as an error with its stack is, for the terminal. */
export function printableLines(text: string): string {
  return printable(text, TAB_AND_NEWLINE);
}

/** A line's arguments, fields first, for a console's method: one text, formatted as the console would. */
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
