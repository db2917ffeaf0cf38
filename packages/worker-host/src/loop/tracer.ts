import { hrtimeMs } from "../protocol/memory/ticks.js";
import type { MessageKind, ToMain, TraceOutcome, TraceRequest } from "../protocol/port/messages.js";
import type { CurrentCall } from "./current-call.js";

interface Watch {
  readonly methods: ReadonlySet<string> | undefined;
  readonly sample: number;
  /** How many more events main has room for. */
  credit: number;
  missed: number;
}

/** Reports handled messages to main. Created on the first trace, dropped with the last. */
export class Tracer {
  readonly #post: (message: ToMain) => void;
  readonly #watches = new Map<number, Watch>();
  /** The traces that watch the current message. */
  #seenBy: number[] = [];
  #method = "";
  #kind: MessageKind = "own";
  #startedAt = 0;

  constructor(post: (message: ToMain) => void) {
    this.#post = post;
  }

  get idle(): boolean {
    return this.#watches.size === 0;
  }

  watch({ trace, methods, sample, credit }: TraceRequest): void {
    this.#watches.set(trace, { methods: methods && new Set(methods), sample, credit, missed: 0 });
  }

  unwatch(trace: number): void {
    this.#watches.delete(trace);
  }

  grant(trace: number, credit: number): void {
    const watch = this.#watches.get(trace);
    if (watch !== undefined) watch.credit += credit;
  }

  begin(method: string, kind: MessageKind): void {
    this.#seenBy = [];
    for (const [trace, { methods, sample }] of this.#watches) {
      if (methods?.has(method) === false) continue;
      if (sample === 1 || Math.random() < sample) this.#seenBy.push(trace);
    }
    if (this.#seenBy.length === 0) return;
    this.#method = method;
    this.#kind = kind;
    this.#startedAt = hrtimeMs();
  }

  end(outcome: TraceOutcome): void {
    if (this.#seenBy.length === 0) return;
    const tookMs = hrtimeMs() - this.#startedAt;
    for (const trace of this.#seenBy) {
      const watch = this.#watches.get(trace);
      if (watch === undefined) continue;
      if (watch.credit === 0) {
        watch.missed++;
        continue;
      }
      watch.credit--;
      const { missed } = watch;
      watch.missed = 0;
      this.#post({
        type: "traced",
        trace,
        method: this.#method,
        kind: this.#kind,
        startedAt: this.#startedAt,
        tookMs,
        outcome,
        missed,
      });
    }
    this.#seenBy = [];
  }
}

/** What a trace calls the message that is being handled. `methodId` is 0 for `info`. */
export function kindOfMessage(methodId: number, fromMailbox: boolean, call: Pick<CurrentCall, "caller">): MessageKind {
  if (!fromMailbox) return "own";
  return call.caller !== undefined ? "call" : methodId === 0 ? "send" : "cast";
}
