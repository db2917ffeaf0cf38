import { Console } from "node:console";
import { formatWithOptions, inspect } from "node:util";

/*
 * What an actor logs may come from a stranger. Printed on a terminal, ESC and the C1 controls move the cursor, change
 * the title or fake a prompt; a newline forges a line; the controls of bidirectional text reorder it.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above, but for the newlines between a stack's frames.
const CONTROLS_BUT_NEWLINE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

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

/** The text without anything that acts on a terminal: each such character as its escape, `\u001b`. */
export function withoutControls(text: string, keepNewlines = false): string {
  return text.replace(keepNewlines ? CONTROLS_BUT_NEWLINE : CONTROLS, (char) =>
    char === "\n" ? "\\n" : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A line's arguments, fields first, for a console's method: one text, formatted as the console would. */
export function printable(args: readonly unknown[]): string[] {
  const [first, ...rest] = args;
  const escaped = rest.map((arg) => (typeof arg === "string" ? withoutControls(arg) : arg));
  const fields = typeof first === "string" ? "" : withoutControls(inspect(first), true);
  const told =
    typeof first === "string"
      ? formatWithOptions({}, withoutControls(first), ...escaped)
      : formatWithOptions({}, ...escaped);
  return ["%s", withoutControls(fields === "" || told === "" ? fields + told : `${fields} ${told}`, true)];
}
