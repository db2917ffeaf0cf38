import { inspect } from "node:util";
import { printable, withoutRuntimeFrames } from "@mini-otp/worker-host/protocol/errors";
import { LOG_LEVELS } from "@mini-otp/worker-host/protocol/port";

const TAB = "\t";
const RESET = "\u001b[0m";
const DIM = "\u001b[2m";
const COLORS: Readonly<Record<string, string>> = {
  WARN: "\u001b[33m",
  ERROR: "\u001b[31m",
  FATAL: "\u001b[1;31m",
};
const NAMES = new Map<number, string>(Object.entries(LOG_LEVELS).map(([name, value]) => [value, name.toUpperCase()]));
/** What a report of a supervisor has beside its message, and a reader at a terminal wants. The JSON form has all. */
const OF_REPORTS = ["incarnation", "lastMethod", "queueLength", "repeated"];

export interface ReadableOptions {
  readonly colors: boolean;
  readonly fullStacks: boolean;
}

interface Shown {
  readonly message: string;
  readonly fields: Record<string, unknown>;
  readonly stack: string;
}

/**
 * A line of pino's as a person reads it: time, level, message and fields in one line, and below it the stack, if there
 * is one. Nothing in it can act on a terminal. A text that is no line of pino's comes back escaped.
 */
export function readableLine(json: string, { colors, fullStacks }: ReadableOptions): string {
  try {
    const { level, time, pid: _pid, hostname: _host, name: _name, ...record } = JSON.parse(json);
    const { message, fields, stack } = isReport(record) ? ofReport(record) : ofLine(record);
    const levelName = NAMES.get(level) ?? String(level);
    const paint = (code: string | undefined, text: string) =>
      colors && code !== undefined && text !== "" ? code + text + RESET : text;
    const parts = [
      paint(DIM, clock(time)),
      paint(COLORS[levelName], levelName.padEnd(5)),
      printable(message, TAB),
      paint(DIM, inWords(fields)),
    ];
    const first = parts.filter((part) => part !== "").join(" ");
    const below = indented(fullStacks ? stack : withoutRuntimeFrames(stack));
    return below === "" ? `${first}\n` : `${first}\n${paint(DIM, below)}\n`;
  } catch {
    return `${printable(json.trimEnd(), TAB)}\n`;
  }
}

/** A report of a supervisor, or the record of a root that gives up. An actor's line has its thread. */
function isReport({ thread, offender, supervisor, failures, intensity }: Record<string, unknown>): boolean {
  if (thread !== undefined) return false;
  return (offender !== undefined && supervisor !== undefined) || (failures !== undefined && intensity !== undefined);
}

/** The message of a report names the reason in full, so only the frames follow. */
function ofReport(record: Record<string, any>): Shown {
  const known = OF_REPORTS.filter((key) => record[key] !== undefined && record[key] !== 0);
  const fields = Object.fromEntries(known.map((key) => [key, record[key]]));
  return { message: record.msg, fields, stack: framesOf(String(record.reason?.err?.stack ?? "")) };
}

function ofLine({ msg = "", actor, incarnation: _, thread: __, err, ...rest }: Record<string, any>): Shown {
  const from = actor === undefined || String(msg).includes(actor) ? "" : `${actor}: `;
  if (typeof err?.stack !== "string") {
    return { message: from + msg, fields: err === undefined ? rest : { ...rest, err }, stack: "" };
  }
  const { type: _type, message, stack, ...facts } = err;
  const fields = Object.keys(facts).length === 0 ? rest : { ...rest, err: facts };
  if (msg !== message) return { message: from + msg, fields, stack };
  // The line has no message of its own, so pino has taken the error's, and the stack begins with it.
  return { message: from + stack.split("\n", 1)[0], fields, stack: framesOf(stack) };
}

/** A stack without the error's name and message. */
function framesOf(stack: string): string {
  const first = /^\s+at /m.exec(stack);
  return first === null ? "" : stack.slice(first.index).replace(/^\n/, "");
}

function inWords(fields: Record<string, unknown>): string {
  if (Object.keys(fields).length === 0) return "";
  return printable(inspect(fields, { depth: 5, breakLength: Infinity, compact: true, maxStringLength: 4000 }), TAB);
}

function clock(time: unknown): string {
  const date = new Date(time as number);
  const two = (part: number) => String(part).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** Each line of a stack is set in, so that none can be taken for a record. */
function indented(stack: string): string {
  const lines = stack === "" ? [] : stack.split("\n");
  return lines.map((line) => `    ${printable(line.trim(), TAB)}`).join("\n");
}
