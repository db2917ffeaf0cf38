import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Events } from "../reporting/events.js";
import type { Logger } from "../reporting/logger.js";

const EVERY_MS = 1000;

/** Ends of light actors: by the kind of their reasons, and what became of some. */
export interface Ends {
  readonly reasons: Readonly<Record<string, number>>;
  readonly restarted: number;
  readonly givenUp: number;
}

/** Tells of the ends of a supervisor's light actors: at once, and then once a second at most, however many there are. */
export class EndsReport {
  readonly #id: string;
  readonly #events: Events;
  readonly #logger: Logger;
  #reasons: Record<string, number> = {};
  #count = 0;
  #restarted = 0;
  #givenUp = 0;
  #sample: { readonly id: string; readonly reason: ExitReason } | undefined;
  #toldAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(id: string, events: Events, logger: Logger) {
    this.#id = id;
    this.#events = events;
    this.#logger = logger;
  }

  add({ reasons, restarted, givenUp }: Ends, sample?: { readonly id: string; readonly reason: ExitReason }): void {
    this.#restarted += restarted;
    this.#givenUp += givenUp;
    for (const [kind, count] of Object.entries(reasons)) {
      this.#reasons[kind] = (this.#reasons[kind] ?? 0) + count;
      this.#count += count;
    }
    this.#sample ??= sample;
    if (this.#count === 0 || this.#timer !== undefined) return;
    const dueMs = this.#toldAt + EVERY_MS - performance.now();
    if (dueMs <= 0) this.tell();
    else this.#timer = setTimeout(() => this.tell(), dueMs).unref();
  }

  tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#count === 0) return;
    const [count, reasons, sample] = [this.#count, this.#reasons, this.#sample];
    const [restarted, givenUp] = [this.#restarted, this.#givenUp];
    this.#count = this.#restarted = this.#givenUp = 0;
    this.#reasons = {};
    this.#sample = undefined;
    const at = performance.now();
    this.#toldAt = at;
    const isClean = Object.keys(reasons).every((kind) => kind === "normal" || kind === "shutdown");
    const line = {
      actor: this.#id,
      count,
      reasons,
      restarted,
      givenUp,
      ...(sample === undefined ? {} : { sample: sample.id, err: errorOf(sample.reason) }),
    };
    this.#logger[isClean ? "debug" : "warn"](line, `${count} light actors of ${this.#id} ended`);
    this.#events.emit({
      event: "members_ended",
      id: this.#id,
      at,
      count,
      reasons,
      restarted,
      givenUp,
      ...(sample === undefined ? {} : { sample }),
    });
  }
}

function errorOf(reason: ExitReason): unknown {
  return "error" in reason ? reason.error : undefined;
}
