import { describe } from "@mini-otp/worker-host/protocol/errors";
import type { LogLevel } from "@mini-otp/worker-host/protocol/port";
import { heedStream } from "./failing-streams.js";
import { callSafely } from "./listeners.js";
import { errorKeyOf, type Logger, streamOf, systemLogger } from "./logger.js";
import { consoleStreams, printableArgs, printsText } from "./printable.js";

type Fields = Readonly<Record<string, unknown>>;

/**
 * The way of all lines to the system's logger. Nothing that a logger does gets past it: what one throws, what its
 * promise rejects with, the errors of the stream it writes to. Lines that are lost so are counted.
 */
export class Log {
  /** The logger that was given, completed; the default one. */
  readonly logger: Logger;
  /** Of `console`: its lines are a text that a terminal shows. */
  readonly #printsText: boolean;
  readonly errorKey: string;
  #lost = 0;

  constructor(given: Logger | false | undefined, name: string) {
    this.logger = systemLogger(given, name, () => this.lose());
    this.#printsText = safely(() => printsText(given)) === true;
    this.errorKey = safely(() => errorKeyOf(this.logger)) ?? "err";
    const streams = this.#printsText ? consoleStreams(given) : [streamOf(this.logger)];
    for (const stream of streams) safely(() => heedStream(stream, this));
  }

  /** Lines that the logger, or what it writes to, did not take. */
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

  /** Writes a line as pino takes it. When that fails `failed` is told why; a line that is not written then is lost. */
  attempt(level: LogLevel, args: readonly unknown[], failed: (error: unknown) => void): void {
    callSafely(() => this.logger[level](...(this.#printsText ? printableArgs(args) : args)), failed);
  }

  /** Says that a line was lost. A logger that cannot even say that has lost no other. */
  notice(fields: Fields, message: string): void {
    this.attempt("error", [fields, message], () => {});
  }

  /** What the logger says of itself, or undefined when it throws. */
  ask<T>(question: (logger: Logger) => T): T | undefined {
    return safely(() => question(this.logger));
  }

  #write(level: LogLevel, fields: Fields, message: string): void {
    this.attempt(level, [fields, message], (error) => {
      if (isOfSystem(error)) return this.lose();
      // A serializer of the user's, or a getter: the message is there all the same.
      const plain = Object.entries(fields).filter(
        ([, value]) => typeof value === "string" || typeof value === "number",
      );
      const reduced = { ...Object.fromEntries(plain), fieldsLost: describe(error) };
      this.attempt(level, [reduced, message], () => this.lose());
    });
  }
}

/** A full disk, a closed pipe: another line has no better chance. */
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
