import {
  aSignal,
  type Fields,
  hrtimeMs,
  type MessageKind,
  numberFrom,
  type ToMain,
  type TraceOutcome,
  type TraceRequest,
  takeOptions,
  texts,
  whenAborted,
} from "@mini-otp/worker-host/protocol";

export interface TraceOptions {
  /** Only these. Default: all, with `info` for what comes by `send`, monitors and links. */
  methods?: readonly string[];
  /** The share of messages to tell of, chosen at random: over 0 to 1. Default 1. */
  sample?: number;
  /** Ends the trace. */
  signal?: AbortSignal;
}

/** One message that an actor has handled. */
export interface TraceEvent {
  /** Path of the actor. */
  readonly id: string;
  readonly incarnation: number;
  readonly method: string;
  /** `own`: a timer, a continuation, DOWN and EXIT. */
  readonly kind: MessageKind;
  /** When its handler was called: monotonic ms, `performance.now()` of the main thread. */
  readonly at: number;
  /** How long it took, what the handler waited for included. */
  readonly tookMs: number;
  /** `failed`: a ReplyError; `error`: it crashed the actor. */
  readonly outcome: TraceOutcome;
  /** Messages before this one that are missing, since they were handled faster than events were taken. */
  readonly missed: number;
}

/** Events that may wait to be taken. Then the actor counts instead of telling, and neither thread's memory grows. */
const CREDIT = 1024;

const FIELDS: Fields = {
  methods: texts,
  // More than 0: the least that a number can be.
  sample: numberFrom(Number.MIN_VALUE, 1, "a share, more than 0"),
  signal: aSignal,
};

/** Throws ERR_INVALID_OPTION. */
export function takeTraceOptions(options: TraceOptions): TraceOptions {
  return takeOptions("trace", options, FIELDS, true);
}

type Traced = Extract<ToMain, { type: "traced" }>;

/** A trace as its user sees it, from now until it is left, aborted, or the actor is gone for good. */
export class Trace implements AsyncIterableIterator<TraceEvent> {
  readonly #methods: readonly string[] | undefined;
  readonly #sample: number;
  readonly #granted: (credit: number) => void;
  readonly #left: () => void;
  readonly #release: () => void = () => {};
  readonly #events: TraceEvent[] = [];
  readonly #takers: ((result: IteratorResult<TraceEvent>) => void)[] = [];
  #taken = 0;
  #closed = false;

  /** `options` have been checked: see `takeTraceOptions`. */
  constructor({ methods, sample = 1, signal }: TraceOptions, granted: (credit: number) => void, left: () => void) {
    this.#methods = methods;
    this.#sample = sample;
    this.#granted = granted;
    this.#left = left;
    if (signal?.aborted) this.#closed = true;
    else if (signal !== undefined) this.#release = whenAborted(signal, () => this.close());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What a thread is asked for that knows nothing of this trace. */
  request(trace: number): TraceRequest {
    this.#taken = 0;
    return { trace, methods: this.#methods, sample: this.#sample, credit: CREDIT - this.#events.length };
  }

  add(id: string, incarnation: number, { method, kind, startedAt, tookMs, outcome, missed }: Traced): void {
    if (this.#closed) return;
    const at = startedAt - hrtimeMs() + performance.now();
    const event: TraceEvent = { id, incarnation, method, kind, at, tookMs, outcome, missed };
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#events.push(event);
      return;
    }
    this.#hasTaken();
    taker({ done: false, value: event });
  }

  /** What has been told of already can still be taken. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
    this.#left();
  }

  next(): Promise<IteratorResult<TraceEvent>> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#hasTaken();
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  return(): Promise<IteratorResult<TraceEvent>> {
    this.#events.length = 0;
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Credit goes back by halves, so that not every event costs a message. */
  #hasTaken(): void {
    if (++this.#taken < CREDIT / 2) return;
    this.#granted(this.#taken);
    this.#taken = 0;
  }
}
