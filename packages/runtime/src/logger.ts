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

export function systemLogger(logger: Logger | false | undefined, name: string): Logger {
  if (logger === false) return silent;
  return logger ?? pino({ name, level: "warn" }, pino.destination({ dest: 2, sync: true }));
}

/** Under which key a logger expects an error. */
export function errorKeyOf(logger: Logger): string {
  const { errorKeySym } = pino.symbols as unknown as { readonly errorKeySym: symbol };
  const key = (logger as unknown as Record<symbol, unknown>)[errorKeySym];
  return typeof key === "string" ? key : "err";
}
