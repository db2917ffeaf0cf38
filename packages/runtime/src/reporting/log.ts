import { describe } from "@mini-otp/worker-host/protocol/errors";
import { LOG_LEVELS, type LogLevel } from "@mini-otp/worker-host/protocol/port";
import { countErrorsOf } from "./failing-streams.js";
import { callSafely } from "./listeners.js";
import type { LogVariables } from "./log-variables.js";
import { LoggableReasons } from "./loggable-reason.js";
import { errorKeyOf, type Logger, levelOf, streamOf, systemLogger } from "./logger.js";
import { consoleStreams, printableArgs, printsText } from "./printable.js";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Writes all lines to the system's logger. No failure of a logger gets further: a throw, a promise that rejects, an
 * error of the stream that it writes to. Lines that are lost this way are counted.
 */
export class Log {
  /** The user's logger, with missing levels added; or the default logger. */
  readonly logger: Logger;
  /** True for `console`, whose lines are a text that a terminal shows. */
  readonly #printsText: boolean;
  readonly errorKey: string;
  /** Stacks keep the frames of the runtime. */
  readonly fullStacks: boolean;
  /** What the records show of errors, so that a stack is in one of them. */
  readonly reasons: LoggableReasons;
  #lost = 0;

  constructor(given: Logger | false | undefined, name: string, variables: LogVariables) {
    this.logger = systemLogger(given, name, () => this.lose(), variables);
    this.#printsText = safely(() => printsText(given)) === true;
    this.fullStacks = variables.fullStacks;
    this.reasons = new LoggableReasons(variables.fullStacks, () => this.ask(levelOf) ?? LOG_LEVELS.trace);
    this.errorKey = safely(() => errorKeyOf(this.logger)) ?? "err";
    const streams = this.#printsText ? consoleStreams(given) : [streamOf(this.logger)];
    for (const stream of streams) safely(() => countErrorsOf(stream, this));
  }

  /** How many lines the logger, or the stream that it writes to, did not take. */
  get lost(): number {
    return this.#lost;
  }

  lose(): void {
    this.#lost++;
  }

  trace(fields: Fields, message: string): void {
    this.#write("trace", fields, message);
  }

  debug(fields: Fields, message: string): void {
    this.#write("debug", fields, message);
  }

  info(fields: Fields, message: string): void {
    this.#write("info", fields, message);
  }

  warn(fields: Fields, message: string): void {
    this.#write("warn", fields, message);
  }

  error(fields: Fields, message: string): void {
    this.#write("error", fields, message);
  }

  fatal(fields: Fields, message: string): void {
    this.#write("fatal", fields, message);
  }

  /**
   * Writes a line in pino's form. When that fails, `failed` gets the error, and the line is lost unless `failed` writes
   * it.
   */
  attempt(level: LogLevel, args: readonly unknown[], failed: (error: unknown) => void): void {
    callSafely(() => this.logger[level](...(this.#printsText ? printableArgs(args) : args)), failed);
  }

  /** Writes that a line was lost. If the logger fails again, that is not counted as one more lost line. */
  notice(fields: Fields, message: string): void {
    this.attempt("error", [fields, message], () => {});
  }

  /** The answer of the logger, or undefined when it throws. */
  ask<T>(question: (logger: Logger) => T): T | undefined {
    return safely(() => question(this.logger));
  }

  #write(level: LogLevel, fields: Fields, message: string): void {
    const shown = "err" in fields ? { ...fields, err: this.reasons.shown(fields.err, level) } : fields;
    this.attempt(level, [shown, message], (error) => {
      if (isOfSystem(error)) return this.lose();
      // A serializer or a getter of the user has thrown: the message is written without the fields that may have caused
      // it.
      const plain = Object.entries(fields).filter(
        ([, value]) => typeof value === "string" || typeof value === "number",
      );
      const reduced = { ...Object.fromEntries(plain), fieldsLost: describe(error) };
      this.attempt(level, [reduced, message], () => this.lose());
    });
  }
}

/** True for a full disk or a closed pipe, where another line would fail as well. */
function isOfSystem(error: unknown): boolean {
  return safely(() => typeof (error as { errno?: unknown }).errno === "number") === true;
}

function safely<T>(question: () => T): T | undefined {
  try {
    return question();
  } catch {
    return undefined;
  }
}
