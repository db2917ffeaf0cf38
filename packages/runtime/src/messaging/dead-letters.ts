import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { DeadLetterCause, Events } from "../reporting/events.js";
import type { Logger } from "../reporting/logger.js";

const LOGGED_AT_FIRST = 10;
const LOG_EVERY_MS = 5000;

/** Counts and reports messages that will not be handled. Logs the first ten, then one line every five seconds. */
export class DeadLetters {
  readonly #events: Events;
  readonly #logger: Logger;
  readonly #byCause: Record<DeadLetterCause, number> = {
    in_flight: 0,
    queued: 0,
    dropped: 0,
    unhandled: 0,
    no_connection: 0,
  };
  #count = 0;
  #unlogged = 0;
  #loggedAt = 0;

  constructor(events: Events, logger: Logger) {
    this.#events = events;
    this.#logger = logger;
  }

  get count(): number {
    return this.#count;
  }

  get byCause(): Readonly<Record<DeadLetterCause, number>> {
    return { ...this.#byCause };
  }

  add(id: string, method: string, why: DeadLetterCause, reason?: ExitReason, detail?: string): void {
    this.#add(id, method, why, reason, detail, 1);
  }

  /** Messages that are not told one by one: of light actors, which may end by the thousand. One event for all. */
  addMany(id: string, method: string, why: DeadLetterCause, count: number, reason?: ExitReason): void {
    if (count > 0) this.#add(id, method, why, reason, undefined, count);
  }

  #add(
    id: string,
    method: string,
    why: DeadLetterCause,
    reason: ExitReason | undefined,
    detail: string | undefined,
    count: number,
  ): void {
    const at = performance.now();
    const before = this.#count;
    this.#count += count;
    this.#byCause[why] += count;
    const many = count > 1 ? { count } : {};
    const because = reason === undefined ? {} : { reason };
    this.#events.emit({ event: "dead_letter", id, at, method, why, ...many, ...because });
    if (before >= LOGGED_AT_FIRST && at - this.#loggedAt < LOG_EVERY_MS) {
      this.#unlogged += count;
      return;
    }
    this.#loggedAt = at;
    this.#logger.warn(
      { actor: id, method, why, ...many, reason: reason?.kind, detail, unlogged: this.#unlogged },
      "dead letter",
    );
    this.#unlogged = 0;
  }
}
