import { inspect } from "node:util";

const MAX_SHOWN = 80;
/**
 * On a terminal, ESC and the C1 controls move the cursor, change the title or fake a prompt; a newline forges a line of a
 * log; the controls of bidirectional text reorder it. Half of a surrogate pair cannot be written as UTF-8.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** A value in a few characters of one line, for error messages. Never throws: no getter, trap or `toJSON` of it is run. */
export function showValue(value: unknown): string {
  if (typeof value === "function") return "a function";
  try {
    const text = typeof value === "string" ? showText(value) : inspect(value, OPTIONS);
    return printable(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
  } catch {
    return "a value that cannot be shown";
  }
}

/** The text with each character that acts on a terminal as its escape, `\u001b`. Those in `kept` stay. */
export function printable(text: string, kept = ""): string {
  return text.replace(UNPRINTABLE, (unit) => {
    if (kept.includes(unit)) return unit;
    return unit === "\n" ? "\\n" : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** What was given for a method's name, as it is where it is a name. */
export function shownMethod(method: unknown): string {
  return typeof method === "string" ? printable(method.slice(0, MAX_SHOWN)) : showValue(method);
}

function showText(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

const OPTIONS = {
  depth: 1,
  breakLength: Infinity,
  compact: true,
  customInspect: false,
  getters: false,
  maxArrayLength: 5,
  maxStringLength: MAX_SHOWN,
  showProxy: false,
} as const;
