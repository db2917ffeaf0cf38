import { EventStream } from "../reporting/event-stream.js";
import type { Trace, TraceEvent } from "./trace.js";

/** Several traces as one. Prefetches one event per trace; a trace that outruns its reader still counts what it missed. */
export class MergedTrace extends EventStream<TraceEvent> {
  readonly #traces: Set<Trace>;
  readonly #from = new Map<TraceEvent, Trace>();

  constructor(traces: readonly Trace[]) {
    super();
    this.#traces = new Set(traces);
    if (traces.length === 0) this.close();
    for (const trace of traces) this.#ask(trace);
  }

  protected override taken(event: TraceEvent): void {
    const trace = this.#from.get(event);
    this.#from.delete(event);
    if (trace !== undefined) this.#ask(trace);
  }

  protected override left(): void {
    for (const trace of this.#traces) void trace.return();
  }

  #ask(trace: Trace): void {
    void trace.next().then(({ done, value }) => {
      if (done) this.#ended(trace);
      else if (!this.closed) this.#tookAhead(trace, value as TraceEvent);
    });
  }

  #tookAhead(from: Trace, event: TraceEvent): void {
    this.#from.set(event, from);
    this.offer(event);
  }

  #ended(trace: Trace): void {
    this.#traces.delete(trace);
    if (this.#traces.size === 0) this.close();
  }
}
