import { textOf } from "../errors/describe.js";
import { isError } from "../errors/realms.js";

/** The part of `@opentelemetry/api` that is used here. */
interface OpenTelemetryApi {
  readonly trace: {
    getTracer(name: string): { startSpan(name: string, options: SpanOptions, context?: unknown): Span };
    getSpanContext(context: unknown): SpanContext | undefined;
    setSpan(context: unknown, span: Span): unknown;
    setSpanContext(context: unknown, spanContext: SpanContext & { isRemote: true }): unknown;
    deleteSpan(context: unknown): unknown;
  };
  readonly propagation: {
    inject(context: unknown, carrier: Record<string, string>): void;
    extract(context: unknown, carrier: Carrier): unknown;
    /** The keys that the registered propagator writes; none without one. */
    fields(): readonly string[];
  };
  readonly context: { active(): unknown; with<T>(context: unknown, fn: () => T): T };
  readonly ROOT_CONTEXT: unknown;
  readonly SpanKind: Record<"SERVER" | "CLIENT" | "CONSUMER" | "INTERNAL", number>;
  readonly SpanStatusCode: { readonly ERROR: number };
}

interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

interface SpanOptions {
  readonly kind: number;
  readonly attributes: Record<string, string>;
  readonly links?: readonly { readonly context: SpanContext }[];
}

interface Span {
  spanContext(): SpanContext;
  recordException(error: Error): void;
  setStatus(status: { code: number; message: string }): void;
  end(): void;
}

/** The global under which the API keeps what is registered: one for the thread, even if several copies are loaded. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");
const API: string = "@opentelemetry/api";
/** The key of W3C Trace Context. @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = "traceparent";

/** What a message carries of its sender's context: what the registered propagator writes, by header name. */
export type Carrier = Readonly<Record<string, string>>;

/** The span of the handling of a message. */
export interface OpenSpan {
  /** `error`: why it failed, if it did. */
  end(error?: unknown): void;
}

/** The span of a call. */
export interface CallSpan extends OpenSpan {
  /** The span's place in its trace, and the baggage, which the message carries. */
  readonly carrier: Carrier | undefined;
}

/** How a handler has come to run. An `interval` fires again and again: each time begins a trace that links to the first. */
export type Occasion = "call" | "cast" | "own" | "interval";

/** Spans of this thread's calls and handlers. A message carries its sender's context to the other thread. */
export class Telemetry {
  readonly #api: OpenTelemetryApi;
  readonly #tracer: ReturnType<OpenTelemetryApi["trace"]["getTracer"]>;

  readonly #hasPropagator: boolean;

  constructor(api: OpenTelemetryApi) {
    this.#api = api;
    this.#tracer = api.trace.getTracer("mini-otp");
    this.#hasPropagator = api.propagation.fields().length > 0;
  }

  /** The active context, for a message without a reply and for a timer. Undefined when there is nothing to carry. */
  get carrier(): Carrier | undefined {
    return this.#inject(this.#api.context.active());
  }

  /** Opens the span of a call to the actor at path `id`. */
  call(id: string, method: string): CallSpan {
    const { span, context } = this.#open(id, method, this.#api.SpanKind.CLIENT, this.#api.context.active());
    return { carrier: this.#inject(context), end: span.end };
  }

  /** Runs a handler within a span that continues the trace of its message. */
  handle<T>(id: string, method: string, occasion: Occasion, carrier: Carrier | undefined, run: () => T): [T, OpenSpan] {
    const { trace, context, SpanKind } = this.#api;
    const sent = this.#extract(carrier);
    const kind = occasion === "call" ? SpanKind.SERVER : occasion === "cast" ? SpanKind.CONSUMER : SpanKind.INTERNAL;
    const first = occasion === "interval" ? trace.getSpanContext(sent) : undefined;
    const parent = first === undefined ? sent : trace.deleteSpan(sent);
    const opened = this.#open(id, method, kind, parent, first);
    try {
      return [context.with(opened.context, run), opened.span];
    } catch (error) {
      opened.span.end(error);
      throw error;
    }
  }

  /** A propagator is the user's: what it throws costs the message its trace, and no more. */
  #inject(context: unknown): Carrier | undefined {
    if (!this.#hasPropagator) {
      const span = this.#api.trace.getSpanContext(context);
      return span === undefined ? undefined : { [TRACEPARENT]: traceparentOf(span) };
    }
    const carrier: Record<string, string> = {};
    try {
      this.#api.propagation.inject(context, carrier);
    } catch {
      return undefined;
    }
    for (const _key in carrier) return carrier;
    return undefined;
  }

  #extract(carrier: Carrier | undefined): unknown {
    const { trace, propagation, ROOT_CONTEXT } = this.#api;
    if (carrier === undefined) return ROOT_CONTEXT;
    try {
      if (this.#hasPropagator) return propagation.extract(ROOT_CONTEXT, carrier);
    } catch {
      return ROOT_CONTEXT;
    }
    const sender = spanContextOf(carrier[TRACEPARENT]);
    return sender === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, sender);
  }

  #open(
    id: string,
    method: string,
    kind: number,
    parent: unknown,
    linked?: SpanContext,
  ): { readonly span: OpenSpan; readonly context: unknown } {
    const { trace, SpanStatusCode } = this.#api;
    const attributes = { "rpc.system": "mini-otp", "rpc.service": id, "rpc.method": method };
    const links = linked === undefined ? [] : [{ context: linked }];
    const span = this.#tracer.startSpan(`${id}/${method}`, { kind, attributes, links }, parent);
    const end = (error?: unknown): void => {
      if (error !== undefined) {
        const failure = isError(error) ? error : new Error("thrown: no Error");
        span.recordException(failure);
        span.setStatus({ code: SpanStatusCode.ERROR, message: textOf(failure, "message") ?? "" });
      }
      span.end();
    };
    return { span: { end }, context: trace.setSpan(parent, span) };
  }
}

/** Loads the API. Undefined, and nothing is loaded, in a thread in which no SDK is registered. */
export async function loadTelemetry(
  importModule: (specifier: string) => Promise<unknown> = (specifier) => import(specifier),
): Promise<Telemetry | undefined> {
  const registered = (globalThis as Record<symbol, unknown>)[REGISTERED] as
    | { readonly trace?: unknown; readonly propagation?: unknown }
    | undefined;
  // A propagator alone passes on what main got from elsewhere.
  if (registered?.trace === undefined && registered?.propagation === undefined) return undefined;
  try {
    return new Telemetry((await importModule(API)) as OpenTelemetryApi);
  } catch {
    return undefined;
  }
}

/** For an SDK without a propagator, version 00 of W3C Trace Context: the other thread may have the W3C propagator. */
function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

function spanContextOf(traceparent: string | undefined): (SpanContext & { isRemote: true }) | undefined {
  const [version, traceId, spanId, flags] = traceparent?.split("-") ?? [];
  if (version !== "00" || traceId?.length !== 32 || spanId?.length !== 16 || flags?.length !== 2) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}
