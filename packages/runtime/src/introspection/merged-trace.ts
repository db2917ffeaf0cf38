import type { Trace, TraceEvent } from "./trace.js";

/** Several traces as one. Of each, one event is taken ahead; so whoever tells of more than is taken counts, as ever. */
export class MergedTrace implements AsyncIterableIterator<TraceEvent> {
  readonly #traces: Set<Trace>;
  readonly #arrived: { readonly event: TraceEvent; readonly from: Trace }[] = [];
  readonly #takers: ((result: IteratorResult<TraceEvent>) => void)[] = [];

  constructor(traces: readonly Trace[]) {
    this.#traces = new Set(traces);
    for (const trace of traces) this.#ask(trace);
  }

  next(): Promise<IteratorResult<TraceEvent>> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) {
      this.#ask(arrived.from);
      return Promise.resolve({ done: false, value: arrived.event });
    }
    if (this.#traces.size === 0) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  async return(): Promise<IteratorResult<TraceEvent>> {
    this.#arrived.length = 0;
    await Promise.all(Array.from(this.#traces, (trace) => trace.return()));
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #ask(trace: Trace): void {
    void trace.next().then(({ done, value }) => {
      if (done) this.#ended(trace);
      else this.#tookAhead(trace, value);
    });
  }

  #tookAhead(from: Trace, event: TraceEvent): void {
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#arrived.push({ event, from });
      return;
    }
    taker({ done: false, value: event });
    this.#ask(from);
  }

  #ended(trace: Trace): void {
    this.#traces.delete(trace);
    if (this.#traces.size > 0) return;
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
  }
}
