import type { Logger } from "@mini-otp/runtime";

export interface LogLine {
  readonly level: keyof Logger;
  readonly fields: any;
  readonly message: string;
}

/** A logger that keeps its lines. */
export function recordingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: keyof Logger) =>
    (fields: unknown, message = ""): void =>
      void lines.push({ level, fields, message });
  const logger: Logger = {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
  };
  return { logger, lines };
}
