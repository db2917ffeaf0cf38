import { hrtimeMs } from "@mini-otp/worker-host/protocol/memory";
import { aSignal, type Fields, numberFrom, takeOptions, texts } from "@mini-otp/worker-host/protocol/options";
import type { MessageKind, ToMain, TraceOutcome, TraceRequest } from "@mini-otp/worker-host/protocol/port";
import { BACKLOG, EventStream } from "../reporting/event-stream.js";

/** What `system.trace` takes. */
export interface TraceOptions {
  /** Reports only these methods. Default: all, with `info` for messages from `send`, monitors and links. */
  methods?: readonly string[] | undefined;
  /** The share of messages to report, chosen at random: more than 0, at most 1. Default 1. */
  sample?: number | undefined;
  /** Ends the trace. */
  signal?: AbortSignal | undefined;
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
  /** How long the handler took, its waiting included. */
  readonly tookMs: number;
  /** `failed`: a ReplyError; `error`: it crashed the actor. */
  readonly outcome: TraceOutcome;
  /** Messages before this one that are missing, because the actor handled them faster than the reader took events. */
  readonly missed: number;
}

const FIELDS: Fields = {
  methods: texts,
  // Above 0: the smallest positive number.
  sample: numberFrom(Number.MIN_VALUE, 1, "a share, more than 0"),
  signal: aSignal,
};

/** Throws ERR_INVALID_OPTION. */
export function takeTraceOptions(options: TraceOptions): TraceOptions {
  return takeOptions("trace", options, FIELDS, true);
}

type Traced = Extract<ToMain, { type: "traced" }>;

/**
 * A trace as its user sees it, from now until the user leaves or aborts it, or the actor is gone for good. While the
 * buffer of events is full the actor only counts what it does not report, so neither thread's memory grows.
 */
export class Trace extends EventStream<TraceEvent> {
  readonly #methods: readonly string[] | undefined;
  readonly #sample: number;
  readonly #granted: (credit: number) => void;
  readonly #left: () => void;
  #taken = 0;

  /** `options` have been checked: see `takeTraceOptions`. */
  constructor({ methods, sample = 1, signal }: TraceOptions, granted: (credit: number) => void, left: () => void) {
    super(signal);
    this.#methods = methods;
    this.#sample = sample;
    this.#granted = granted;
    this.#left = left;
  }

  /** The request that makes a thread take part in this trace. */
  request(trace: number): TraceRequest {
    this.#taken = 0;
    return { trace, methods: this.#methods, sample: this.#sample, credit: BACKLOG - this.backlog };
  }

  add(id: string, incarnation: number, { method, kind, startedAt, tookMs, outcome, missed }: Traced): void {
    const at = startedAt - hrtimeMs() + performance.now();
    this.offer({ id, incarnation, method, kind, at, tookMs, outcome, missed });
  }

  /** Grants credit when half of it is used up, so that not every event costs a message. */
  protected override taken(): void {
    if (++this.#taken < BACKLOG / 2) return;
    this.#granted(this.#taken);
    this.#taken = 0;
  }

  protected override left(): void {
    this.#left();
  }
}
