import type { ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import { Trace, type TraceOptions } from "./trace.js";

/** The traces of one actor. They outlive its restarts. */
export class ActorTraces {
  readonly #post: (message: ToActor) => void;
  readonly #traces = new Map<number, Trace>();
  #last = 0;

  /** `post` reaches the running thread, and does nothing when there is none. */
  constructor(post: (message: ToActor) => void) {
    this.#post = post;
  }

  open(options: TraceOptions): Trace {
    const number = ++this.#last;
    const trace = new Trace(
      options,
      (credit) => this.#post({ type: "trace_credit", trace: number, credit }),
      () => {
        this.#traces.delete(number);
        this.#post({ type: "untrace", trace: number });
      },
    );
    if (trace.closed) return trace;
    this.#traces.set(number, trace);
    this.#post({ type: "trace", ...trace.request(number) });
    return trace;
  }

  /** The requests that make a new thread take part in every open trace. */
  get requests(): ToActor[] {
    return Array.from(this.#traces, ([number, trace]) => ({ type: "trace", ...trace.request(number) }));
  }

  add(id: string, incarnation: number, message: Extract<ToMain, { type: "traced" }>): void {
    this.#traces.get(message.trace)?.add(id, incarnation, message);
  }

  close(): void {
    for (const trace of [...this.#traces.values()]) trace.close();
  }
}
