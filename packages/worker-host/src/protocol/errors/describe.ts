import { inspect, types } from "node:util";
import { isError } from "./realms.js";

/** A longer text is cut, with a sign of what is missing. */
const MAX_CHARS = 2000;
const MAX_QUOTED_CHARS = 200;
/** To print a larger one takes time that grows with its square. */
const MAX_BIGINT = 1n << 512n;
/** Of an object with more properties only their number is told: `inspect` prints them all. */
const MAX_PROPERTIES = 100;
const UNPRINTABLE = "a value that cannot be printed";

/** At most `chars` characters, with a sign of what is missing. */
export function shorten(text: string, chars = MAX_CHARS): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}… (${text.length - chars} more)`;
}

/**
 * A few words for any value, for logs and error messages: a text as it is, an error's name and message, an object as
 * far as it can be seen. Never throws, whatever the value's getters, traps and methods do. At most some 2 000 characters.
 */
export function describe(value: unknown): string {
  try {
    return shorten(inWords(value));
  } catch {
    return UNPRINTABLE;
  }
}

/** A property's value if it is a text; a getter that throws costs only its own text. */
export function textOf(value: object, key: string): string | undefined {
  try {
    const text = (value as Record<string, unknown>)[key];
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}

/** These codes have a fact `name`, which stands where other errors have the name of their class. */
const WITH_A_NAME: ReadonlySet<unknown> = new Set(["ERR_NAME_TAKEN", "ERR_LEASE_LOST"]);

/** What an error is called when it is shown. Never throws. */
export function classNameOf(error: object): string {
  return WITH_A_NAME.has(textOf(error, "code")) ? "ActorError" : (textOf(error, "name") ?? "Error");
}

function inWords(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "bigint":
      return value < MAX_BIGINT && value > -MAX_BIGINT ? String(value) : "a bigint of more than 512 bits";
    case "function":
      return `a function ${textOf(value, "name") ?? ""}`.trimEnd();
    case "object":
      if (value === null) return "null";
      return isError(value)
        ? `${classNameOf(value)}: ${textOf(value, "message") ?? ""}`
        : (ownWords(value) ?? inspected(value));
    default:
      return String(value);
  }
}

/** What the value says of itself, unless that is what every object says, or a list of all its entries. */
function ownWords(value: object): string | undefined {
  try {
    if (Array.isArray(value) || ArrayBuffer.isView(value)) return undefined;
    const text = String(value);
    return text.startsWith("[object ") ? undefined : text;
  } catch {
    return undefined;
  }
}

function inspected(value: object): string {
  if (!types.isProxy(value) && !Array.isArray(value) && !ArrayBuffer.isView(value)) {
    const { length } = Object.keys(value);
    if (length > MAX_PROPERTIES) return `an object of ${length} properties`;
  }
  return inspect(value, {
    depth: 0,
    customInspect: false,
    maxArrayLength: 10,
    maxStringLength: MAX_QUOTED_CHARS,
    breakLength: Infinity,
  });
}
