import { field } from "@mini-otp/worker-host/protocol";
import pino from "pino";

type Log = (...args: any[]) => void;

/** What the runtime needs of a logger: pino's shape. */
export interface Logger {
  trace: Log;
  debug: Log;
  info: Log;
  warn: Log;
  error: Log;
  fatal: Log;
  /** The lowest level that is logged, by name. Actors do not send what is below it; without it they send everything. */
  readonly level?: string;
  readonly levels?: { readonly values: Readonly<Record<string, number>> };
  /** Pino emits `level-change`, so that actors follow. */
  on?(event: "level-change", listener: () => void): unknown;
  off?(event: "level-change", listener: () => void): unknown;
}

const silent: Logger = pino({ level: "silent" });

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** What a system logs to. */
export const aLogger = field(
  "false, or a logger: an object with methods as error, warn, info and debug",
  (value) => value === false || isLogger(value),
);

/** True for what has at least one of the methods by which pino logs. */
export function isLogger(value: unknown): value is Partial<Logger> {
  return typeof value === "object" && value !== null && LEVELS.some((level) => hasMethod(value, level));
}

export function systemLogger(logger: Logger | false | undefined, name: string): Logger {
  if (logger === false) return silent;
  if (logger === undefined) return pino({ name, level: "warn" }, pino.destination({ dest: 2, sync: true }));
  return LEVELS.every((level) => hasMethod(logger, level)) ? logger : completed(logger);
}

/** A logger that knows fewer levels than pino, as `console` does: what it has no method for goes to the next one below. */
function completed(logger: Partial<Logger>): Logger {
  const whole: Record<string, Log> = {};
  let below: Log = () => {};
  for (const level of LEVELS) {
    if (hasMethod(logger, level)) below = (...args) => (logger as Logger)[level](...args);
    whole[level] = below;
  }
  return Object.assign(Object.create(logger) as Logger, whole);
}

function hasMethod(logger: object, level: string): boolean {
  return typeof (logger as Record<string, unknown>)[level] === "function";
}

/** Under which key a logger expects an error. */
export function errorKeyOf(logger: Logger): string {
  const { errorKeySym } = pino.symbols as unknown as { readonly errorKeySym: symbol };
  const key = (logger as unknown as Record<symbol, unknown>)[errorKeySym];
  return typeof key === "string" ? key : "err";
}
