import { describeExit, isCleanExit } from "@mini-otp/worker-host/protocol";
import pino from "pino";
import type { SupervisionReport } from "./supervision/report.js";

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

/** Logs what supervisors report: failures as errors with OTP's context, the rest at debug. */
export function reportLogger(logger: Logger): (report: SupervisionReport) => void {
  return (report) => {
    const { event, ...fields } = report;
    if (!("reason" in fields)) {
      logger.debug({ event, ...fields }, event);
      return;
    }
    const failed = "context" in fields && fields.context !== undefined && !isCleanExit(fields.reason);
    const message = `${report.id} ${event}: ${describeExit(fields.reason)}`;
    const level = event === "supervisor_escalated" || failed ? "error" : "info";
    logger[level]({ event, ...fields, reason: loggable(fields.reason) }, message);
  };
}

/** An exit reason with its error in the form loggers print. */
function loggable(reason: object): object {
  const { error, ...rest } = reason as { error?: unknown };
  return error instanceof Error ? { ...rest, err: pino.stdSerializers.err(error) } : reason;
}
