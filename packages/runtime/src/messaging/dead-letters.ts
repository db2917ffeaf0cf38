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
    const at = performance.now();
    this.#count++;
    this.#byCause[why]++;
    this.#events.emit({ event: "dead_letter", id, at, method, why, ...(reason === undefined ? {} : { reason }) });
    if (this.#count > LOGGED_AT_FIRST && at - this.#loggedAt < LOG_EVERY_MS) {
      this.#unlogged++;
      return;
    }
    this.#loggedAt = at;
    this.#logger.warn(
      { actor: id, method, why, reason: reason?.kind, detail, unlogged: this.#unlogged },
      "dead letter",
    );
    this.#unlogged = 0;
  }
}
