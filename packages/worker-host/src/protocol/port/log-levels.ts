/** The levels of a log, from the lowest to the highest. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";
/** Pino's levels and their numbers. */
export const LOG_LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const satisfies Record<
  LogLevel,
  number
>;
export const LOG_LEVEL_NAMES = Object.keys(LOG_LEVELS) as readonly LogLevel[];
/** Above every level, so nothing is logged. */
export const SILENT = 0x7fff_ffff;

/** The number of a level by its name, including `silent`; undefined for another name. */
export function levelValue(name: string): number | undefined {
  if (typeof name !== "string") return undefined;
  return name === "silent" ? SILENT : Object.hasOwn(LOG_LEVELS, name) ? LOG_LEVELS[name as LogLevel] : undefined;
}

/*
 * Credit bounds a log that main cannot keep up with. A line costs one unit for each 2 KiB it begins. A thread may have
 * LOG_CREDIT units under way, and main gives them back as it takes the lines. A line that finds no credit is dropped
 * and counted. Errors have some credit beyond that, because in a flood of lines they must not be lost.
 */
export const LOG_CREDIT = 2048;
export const LOG_CREDIT_FOR_ERRORS = LOG_CREDIT + 512;
const UNIT_BYTES = 2048;

export function logUnits(bytes: number): number {
  return 1 + Math.floor(bytes / UNIT_BYTES);
}
