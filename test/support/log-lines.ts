import pino, { type LoggerOptions } from "pino";

export interface PinoLine {
  readonly level: number;
  readonly msg: string;
  readonly actor?: string;
  readonly [field: string]: any;
}

/** Main's pino, which keeps its lines. */
export function pinoLines(options: LoggerOptions = {}): { logger: pino.Logger; lines: PinoLine[] } {
  const lines: PinoLine[] = [];
  const logger = pino({ level: "info", ...options }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { logger, lines };
}
