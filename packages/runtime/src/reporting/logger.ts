import { isatty, WriteStream } from "node:tty";
import { field } from "@mini-otp/worker-host/protocol/options";
import { LOG_LEVELS, levelValue, SILENT } from "@mini-otp/worker-host/protocol/port";
import pino from "pino";
import { invalidSpec } from "../supervision/spec-fields.js";
import type { LogVariables } from "./log-variables.js";
import { readableLine } from "./readable-line.js";
import { STDERR, StderrLines } from "./stderr-lines.js";

/** As pino takes it: an object or an error may come first, then the message and what it is formatted with. */
export type LogMethod = (...args: any[]) => void;

/** What the runtime needs of a logger: pino's shape. */
export interface Logger {
  trace: LogMethod;
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  fatal: LogMethod;
  /** The lowest level that is logged, by name. Actors do not send lines below it; without it they send all lines. */
  readonly level?: string;
  readonly levels?: { readonly values: Readonly<Record<string, number>> };
  /** Pino emits `level-change`, so that actors follow. */
  on?(event: "level-change", listener: () => void): unknown;
  off?(event: "level-change", listener: () => void): unknown;
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

const nothing: LogMethod = () => {};
const silent: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  level: "silent",
};
/** The field of an option that takes a logger. */
export const aLogger = field(
  "false, or a logger: an object with methods as error, warn, info and debug",
  (value) => value === false || isLogger(value),
);

/** True for an object that has at least one of pino's methods for logging. */
export function isLogger(value: unknown): value is Partial<Logger> {
  return typeof value === "object" && value !== null && LEVELS.some((level) => hasMethod(value, level));
}

/** `lost` is called for each line of the default logger that stderr does not take. */
export function systemLogger(
  logger: Logger | false | undefined,
  name: string,
  lost: () => void,
  variables: LogVariables = { form: undefined, fullStacks: false },
): Logger {
  if (logger === false) return silent;
  if (logger === undefined) return defaultLogger(name, lost, variables);
  return LEVELS.every((level) => hasMethod(logger, level)) ? logger : completed(logger);
}

/** Readable on a terminal, JSON elsewhere, where a program reads it. */
function defaultLogger(name: string, lost: () => void, { form, fullStacks }: LogVariables): Logger {
  const stderr = new StderrLines(lost);
  const onTerminal = isatty(STDERR);
  const isReadable = form === undefined ? onTerminal : form === "readable";
  // Node reads NO_COLOR, FORCE_COLOR and TERM.
  const options = { colors: onTerminal && WriteStream.prototype.getColorDepth() > 1, fullStacks };
  const readable = { write: (line: string) => stderr.write(readableLine(line, options)) };
  try {
    return pino({ name, level: "warn" }, isReadable ? readable : stderr);
  } catch {
    // Before Node 22 pino sets Error.prepareStackTrace to find its caller.
    const why = Object.isFrozen(Error)
      ? "pino runs with --frozen-intrinsics from Node 22 on"
      : "pino cannot start here";
    throw invalidSpec("root", "logger", undefined, `false, or a logger of your own: ${why}`);
  }
}

/**
 * Completes a logger that has fewer levels than pino, as `console` has: a line of a missing level goes to the next
 * level below.
 */
function completed(logger: Partial<Logger>): Logger {
  const whole: PropertyDescriptorMap = {};
  let below: LogMethod = () => {};
  for (const level of LEVELS) {
    if (hasMethod(logger, level)) below = (...args) => (logger as Logger)[level](...args);
    whole[level] = { value: below, writable: true, configurable: true, enumerable: true };
  }
  return Object.create(logger, whole) as Logger;
}

function hasMethod(logger: object, level: string): boolean {
  try {
    return typeof (logger as Record<string, unknown>)[level] === "function";
  } catch {
    return false;
  }
}

/** The key under which a logger expects an error. */
export function errorKeyOf(logger: Logger): string {
  const { errorKeySym } = pino.symbols as unknown as { readonly errorKeySym: symbol };
  const key = (logger as unknown as Record<symbol, unknown>)[errorKeySym];
  return typeof key === "string" ? key : "err";
}

/** The stream of a pino logger; undefined for another logger. */
export function streamOf(logger: Logger): unknown {
  return (logger as unknown as Record<symbol, unknown>)[pino.symbols.streamSym];
}

/** The lowest level that a logger takes, as pino's number. A logger that does not say gets all lines. */
export function levelOf({ level, levels }: Logger): number {
  if (level === undefined) return LOG_LEVELS.trace;
  // Pino's number for "silent" is Infinity.
  return Math.min(levels?.values[level] ?? levelValue(level) ?? LOG_LEVELS.trace, SILENT);
}
