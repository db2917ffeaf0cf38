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
}

const silent: Logger = pino({ level: "silent" });

export function systemLogger(logger: Logger | false | undefined, name: string): Logger {
  if (logger === false) return silent;
  return logger ?? pino({ name, level: "warn" }, pino.destination({ dest: 2, sync: true }));
}
