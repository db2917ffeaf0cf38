import { formatWithOptions } from "node:util";
import type { LogLine } from "@mini-otp/runtime";
import type { LogRecord } from "../ui/wire.js";
import { cut, errorText } from "./text.js";

const FIELDS_CHARS = 2000;

/**
 * A line, with its arguments read as pino reads them. Fields are left out by default, because they may hold values that
 * pino redacts.
 */
export function logRecord(line: LogLine, at: number, seq: number, withFields: boolean): LogRecord {
  const { level, incarnation, thread } = line;
  return {
    seq,
    at,
    level,
    incarnation,
    ...(thread === undefined ? {} : { thread }),
    ...content(line.args, withFields),
  };
}

function content(args: readonly unknown[], withFields: boolean): Pick<LogRecord, "message" | "error" | "fields"> {
  try {
    const [first, ...rest] = args;
    const isObject = typeof first === "object" && first !== null;
    const error = first instanceof Error ? first : isObject ? (first as { err?: unknown }).err : undefined;
    const shown = error instanceof Error ? error : undefined;
    const message = formatWithOptions({ depth: 2, breakLength: Infinity }, ...(isObject ? rest : args));
    return {
      message: cut(message === "" ? (shown?.message ?? "") : message),
      ...(shown === undefined ? {} : { error: errorText(shown) }),
      ...(withFields && isObject && first !== shown ? { fields: fieldsOf(first) } : {}),
    };
  } catch {
    return { message: "a line that cannot be printed" };
  }
}

function fieldsOf(fields: object): string {
  const json = JSON.stringify(fields, (key, value: unknown) => {
    if (key === "err" && value instanceof Error) return undefined;
    return typeof value === "bigint" ? String(value) : value;
  });
  return cut(json, FIELDS_CHARS);
}

/** Roughly the number of characters of a record. */
export function weightOf({ message, error, fields }: LogRecord): number {
  return 100 + message.length + (error?.length ?? 0) + (fields?.length ?? 0);
}
