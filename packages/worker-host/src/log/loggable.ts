import { isError } from "../protocol/errors/realms.js";
import { partsOfError } from "../protocol/errors/remote-error.js";

const MAX_DEPTH = 8;
const MAX_ENTRIES = 1000;

/**
 * The part of a value that a line can carry, for values that no message carries: functions and symbols become words,
 * objects with a `toJSON` its result, instances of classes their own properties. Never throws.
 */
export function loggable(value: unknown, depth = 0, around: readonly object[] = []): unknown {
  try {
    return part(value, depth, around);
  } catch {
    return "[unreadable]";
  }
}

function part(value: unknown, depth: number, around: readonly object[]): unknown {
  if (typeof value === "function") return `[function ${value.name}]`;
  if (typeof value === "symbol") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (around.includes(value)) return "[circular]";
  if (depth > MAX_DEPTH) return "[deep]";
  const inside = [...around, value];
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return loggable(toJSON.call(value, ""), depth + 1, inside);
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => loggable(entry, depth + 1, inside));
  const properties = Object.keys(value)
    .slice(0, MAX_ENTRIES)
    .map((key) => [key, property(value, key, depth + 1, inside)] as const);
  if (!isError(value)) return Object.fromEntries(properties);
  const { name, message, stack, own } = partsOfError(value);
  const cause = own.find(([key]) => key === "cause")?.[1];
  const error = new Error(message, cause === undefined ? {} : { cause: loggable(cause, depth + 1, inside) });
  for (const [key, own] of [["name", name], ["stack", stack], ...properties] as const) {
    Object.defineProperty(error, key, {
      value: own,
      enumerable: key !== "name" && key !== "stack",
      configurable: true,
    });
  }
  return error;
}

function property(value: object, key: string, depth: number, inside: readonly object[]): unknown {
  try {
    return loggable((value as Record<string, unknown>)[key], depth, inside);
  } catch {
    return "[unreadable]";
  }
}
