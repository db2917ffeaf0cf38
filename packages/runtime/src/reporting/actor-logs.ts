import { withoutRuntimeFrames } from "@mini-otp/worker-host/protocol/errors";
import { giveLogCredit, LOG_DROPPED } from "@mini-otp/worker-host/protocol/memory";
import { LOG_LEVELS, type LogLevel } from "@mini-otp/worker-host/protocol/port";
import type { Events } from "./events.js";
import type { Log } from "./log.js";
import { levelOf } from "./logger.js";

/** The actor and the thread that a line comes from. */
export interface LogSource {
  readonly id: string;
  readonly incarnation: number;
  /** Node's id of the thread. */
  readonly thread: number;
  /** The slot of shared memory in which the thread counts its lines. */
  readonly words: Int32Array;
}

/**
 * How often main gives credit for lines back to the threads: for 20 000 short lines a second in all, which take a third
 * of main's time.
 */
const GIVE_BACK_MS = 50;
const UNITS_AT_ONCE = 1024;
/** How often dropped lines are reported at most, for each actor. */
const REPORT_EVERY_MS = 1000;
/** A line that took longer to get to main has `lateMs`, because its time is the one at which main wrote it. */
const LATE_MS = 100;
/** Causes of causes: a line of the log shows no more than a few. */
const MAX_CAUSES = 16;

interface Dropped {
  reported: number;
  atMs: number;
}

/** Writes actors' log lines to main's logger, and limits them to what main can write. Never throws. */
export class ActorLogs {
  /** One word, shared with every thread: the lowest level that is logged. */
  readonly level = new SharedArrayBuffer(4);
  readonly #levelWord = new Int32Array(this.level);
  readonly #log: Log;
  /** For each slot, the units of credit to give back. */
  readonly #owed = new Map<Int32Array, number>();
  readonly #dropped = new Map<string, Dropped>();
  readonly #events: Events;
  readonly #readLevel = (): void => {
    const level = this.#events.logListened ? LOG_LEVELS.trace : (this.#log.ask(levelOf) ?? LOG_LEVELS.trace);
    Atomics.store(this.#levelWord, 0, level);
  };
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log, events: Events) {
    this.#log = log;
    this.#events = events;
    events.onLogListened = this.#readLevel;
    this.#readLevel();
    log.ask((logger) => logger.on?.("level-change", this.#readLevel));
  }

  /** `units` is the credit that the line has cost its thread. */
  write(source: LogSource, level: LogLevel, atMs: number, units: number, line: readonly unknown[]): void {
    this.#owe(source, units);
    this.#reportDropped(source, false);
    try {
      this.#write(source, level, atMs, line);
    } catch (error) {
      // The application has changed a built-in that this needs.
      this.#failed(source, error);
    }
  }

  #write(source: LogSource, level: LogLevel, atMs: number, line: readonly unknown[]): void {
    const { id, incarnation, thread } = source;
    const [bindings, first, ...rest] = line;
    const lateMs = Date.now() - atMs;
    const origin = { actor: id, incarnation, thread, ...(lateMs > LATE_MS ? { lateMs } : {}) };
    const isError = first instanceof Error;
    const isFields = !isError && typeof first === "object" && first !== null;
    for (const value of isFields ? Object.values(first) : [first]) this.#shorten(value);
    const fields = isError ? { [this.#log.errorKey]: first } : isFields ? first : {};
    const own = { ...(bindings as object | null), ...fields };
    const values = isError || isFields ? rest : line.slice(1);
    // The origin comes last, so that no line of an actor can claim to be another's.
    this.#log.attempt(level, [{ ...own, ...origin }, ...values], (error) => this.#failed(source, error));
    this.#emit(source, level, isError ? { ...(bindings as object | null), err: first } : own, values);
  }

  /**
   * An error here is main's own copy, and so are its causes. They are told without the frames of the runtime, as in reports
   * of crashes.
   */
  #shorten(value: unknown, depth = 0): void {
    if (this.#log.fullStacks || depth > MAX_CAUSES || !(value instanceof Error)) return;
    if (typeof value.stack === "string") value.stack = withoutRuntimeFrames(value.stack);
    this.#shorten(value.cause, depth + 1);
  }

  #emit({ id, incarnation, thread }: LogSource, level: LogLevel, fields: object, values: readonly unknown[]): void {
    if (!this.#events.logListened) return;
    const args = Object.keys(fields).length === 0 ? values : [fields, ...values];
    this.#events.log({ id, at: performance.now(), incarnation, thread, level, args });
  }

  /** The thread has ended: reports the lines that it dropped since the last report. */
  ended(source: LogSource): void {
    this.#owed.delete(source.words);
    this.#reportDropped(source, true);
  }

  /** The actor is gone for good. */
  forget(id: string): void {
    this.#dropped.delete(id);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#log.ask((logger) => logger.off?.("level-change", this.#readLevel));
  }

  /** A serializer or a stream of the user has thrown. */
  #failed({ id, incarnation, thread }: LogSource, error: unknown): void {
    this.#log.lose();
    this.#log.notice({ actor: id, incarnation, thread, err: error }, "a line of the actor's log could not be written");
  }

  #owe({ words }: LogSource, units: number): void {
    this.#owed.set(words, (this.#owed.get(words) ?? 0) + units);
    this.#timer ??= setTimeout(this.#giveBack, GIVE_BACK_MS).unref();
  }

  /** Gives each thread a share, so that one that logs too much does not silence the others. */
  readonly #giveBack = (): void => {
    this.#timer = undefined;
    const share = Math.max(1, Math.floor(UNITS_AT_ONCE / this.#owed.size));
    for (const [words, owed] of this.#owed) {
      const units = Math.min(owed, share);
      giveLogCredit(words, units);
      if (units === owed) this.#owed.delete(words);
      else this.#owed.set(words, owed - units);
    }
    if (this.#owed.size > 0) this.#timer = setTimeout(this.#giveBack, GIVE_BACK_MS).unref();
  };

  #reportDropped({ id, incarnation, thread, words }: LogSource, last: boolean): void {
    const total = words[LOG_DROPPED];
    const known = this.#dropped.get(id);
    const dropped = (total - (known?.reported ?? 0)) | 0;
    const now = performance.now();
    if (dropped <= 0 || (!last && known !== undefined && now - known.atMs < REPORT_EVERY_MS)) return;
    this.#dropped.set(id, { reported: total, atMs: now });
    const facts = { actor: id, incarnation, thread, dropped };
    this.#log.warn(facts, `${dropped} lines of ${id}'s log were dropped: more than main takes`);
  }
}
