import type { MessagePort } from "node:worker_threads";
import { shorten, textOf } from "../protocol/errors/describe.js";
import { isError } from "../protocol/errors/realms.js";
import { LOG_DROPPED, LOG_TAKEN } from "../protocol/memory/slot-descriptor.js";
import { LOG_CREDIT, LOG_CREDIT_FOR_ERRORS, LOG_LEVELS, type LogLevel, logUnits } from "../protocol/port/log-levels.js";
import type { ToMain } from "../protocol/port/messages.js";
import type { Codec } from "../protocol/values/codec.js";
import { type Encoded, encoded } from "../protocol/values/encoded.js";
import { loggable } from "./loggable.js";

/** A longer line is cut: the text is shortened, and fields keep their names only. */
const MAX_LINE_BYTES = 64 * 1024;

type LogLine = Extract<ToMain, { type: "log" }>;

/** Posts this thread's lines to main, within the credit that main gives. Never blocks, never throws. */
export class LogPort {
  readonly #port: MessagePort;
  /** One word, which main writes: the lowest level that its logger takes. */
  readonly #level: Int32Array;
  #codec: Codec;
  #words: Int32Array | undefined;
  #sent = 0;
  /** Lines dropped before there was a slot to count them in. */
  #dropped = 0;

  constructor(port: MessagePort, level: SharedArrayBuffer, codec: Codec) {
    this.#port = port;
    this.#level = new Int32Array(level);
    this.#codec = codec;
  }

  /** The thread has become an actor: `words` is its slot. */
  use(codec: Codec, words: Int32Array): void {
    this.#codec = codec;
    this.#words = words;
    words[LOG_DROPPED] += this.#dropped;
  }

  /** The lowest level that is logged, as pino's number. */
  get level(): number {
    return this.#level[0];
  }

  /** `args` as pino takes them, behind the bindings of the logger. */
  post(level: LogLevel, bindings: object | null, args: readonly unknown[]): void {
    // Before the line is encoded, because a storm of lines must cost the actor little.
    if (!this.#hasCredit(level)) {
      this.#drop();
      return;
    }
    try {
      this.#send({ type: "log", level, atMs: Date.now(), line: this.#encode([bindings, ...args]) });
    } catch {
      // The application has changed the built-in objects that the encoder uses.
      this.#drop();
    }
  }

  /** A line of the actor's from another process, where it was encoded. */
  forward(line: LogLine): void {
    if (this.#hasCredit(line.level)) this.#send(line);
    else this.#drop();
  }

  #hasCredit(level: LogLevel): boolean {
    const credit = LOG_LEVELS[level] >= LOG_LEVELS.error ? LOG_CREDIT_FOR_ERRORS : LOG_CREDIT;
    const taken = this.#words === undefined ? 0 : Atomics.load(this.#words, LOG_TAKEN);
    return ((this.#sent - taken) | 0) < credit;
  }

  #send(line: LogLine): void {
    this.#port.postMessage(line);
    this.#sent = (this.#sent + logUnits(line.line.bytes.length)) | 0;
  }

  #drop(): void {
    if (this.#words === undefined) this.#dropped++;
    else this.#words[LOG_DROPPED]++;
  }

  #encode(line: readonly unknown[]): Encoded {
    const whole = this.#tryEncode(line) ?? this.#tryEncode(loggable(line) as unknown[]);
    if (whole !== undefined && whole.bytes.length <= MAX_LINE_BYTES) return whole;
    const cut = line.map((part) =>
      typeof part === "string" ? part.slice(0, MAX_LINE_BYTES / 8) : loggable(named(part)),
    );
    return this.#tryEncode(cut) ?? encoded(this.#codec.encodeArgs([null, "a line of log that cannot be carried"]));
  }

  #tryEncode(line: readonly unknown[]): Encoded | undefined {
    try {
      return encoded(this.#codec.encodeArgs(line));
    } catch {
      return undefined;
    }
  }
}

/** The short form of the fields of a line that is too long, or that no message can carry. */
function named(part: unknown): unknown {
  if (typeof part !== "object" || part === null) return part;
  if (isError(part)) {
    const [message, stack] = [textOf(part, "message"), textOf(part, "stack")];
    return { err: { message: shorten(message ?? "", 1000), stack: shorten(stack ?? "", 4000) } };
  }
  try {
    return { tooLong: Object.keys(part).slice(0, 100).join(", ").slice(0, 1000) };
  } catch {
    return { tooLong: "[unreadable]" };
  }
}
