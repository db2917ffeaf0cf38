import { inspect } from "node:util";

const MAX_SHOWN = 80;
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu;

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

/** A text without what would change a terminal or begin another line. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
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
