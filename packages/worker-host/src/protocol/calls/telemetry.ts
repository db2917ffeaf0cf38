import { textOf } from "../errors/describe.js";
import { isError } from "../errors/realms.js";

/** The part of `@opentelemetry/api` that is used here. */
interface OpenTelemetryApi {
  readonly trace: {
    getTracer(name: string): {
      startSpan(name: string, options: { kind: number; attributes: Record<string, string> }, context?: unknown): Span;
    };
    getSpanContext(context: unknown): SpanContext | undefined;
    setSpan(context: unknown, span: Span): unknown;
    setSpanContext(context: unknown, spanContext: SpanContext & { isRemote: true }): unknown;
  };
  readonly context: { active(): unknown; with<T>(context: unknown, fn: () => T): T };
  readonly ROOT_CONTEXT: unknown;
  readonly SpanKind: { readonly SERVER: number; readonly CLIENT: number; readonly CONSUMER: number };
  readonly SpanStatusCode: { readonly ERROR: number };
}

interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
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
/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The span of a call, or of the handling of a message. */
export interface OpenSpan {
  /** The span's place in its trace, which the message carries. */
  readonly traceparent: string;
  /** `error`: why it failed, if it did. */
  end(error?: unknown): void;
}

/** Spans of this thread's calls and handlers. A message carries its place in the trace to the other thread. */
export class Telemetry {
  readonly #api: OpenTelemetryApi;
  readonly #tracer: ReturnType<OpenTelemetryApi["trace"]["getTracer"]>;

  constructor(api: OpenTelemetryApi) {
    this.#api = api;
    this.#tracer = api.trace.getTracer("mini-otp");
  }

  /** The place of the active span, for a message without a reply. */
  get traceparent(): string | undefined {
    const { trace, context } = this.#api;
    const active = trace.getSpanContext(context.active());
    return active === undefined ? undefined : traceparentOf(active);
  }

  /** Opens the span of a call to the actor at path `id`. */
  call(id: string, method: string): OpenSpan {
    return this.#open(id, method, this.#api.SpanKind.CLIENT, this.#api.context.active()).span;
  }

  /** Runs a handler within a span that continues the trace of its message. */
  handle<T>(id: string, method: string, isCall: boolean, traceparent: string | undefined, run: () => T): [T, OpenSpan] {
    const { trace, context, SpanKind, ROOT_CONTEXT } = this.#api;
    const sender = parse(traceparent);
    const parent = sender === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, sender);
    const opened = this.#open(id, method, isCall ? SpanKind.SERVER : SpanKind.CONSUMER, parent);
    try {
      return [context.with(opened.context, run), opened.span];
    } catch (error) {
      opened.span.end(error);
      throw error;
    }
  }

  #open(
    id: string,
    method: string,
    kind: number,
    parent: unknown,
  ): { readonly span: OpenSpan; readonly context: unknown } {
    const { trace, SpanStatusCode } = this.#api;
    const attributes = { "rpc.system": "mini-otp", "rpc.service": id, "rpc.method": method };
    const span = this.#tracer.startSpan(`${id}/${method}`, { kind, attributes }, parent);
    const end = (error?: unknown): void => {
      if (error !== undefined) {
        const failure = isError(error) ? error : new Error("thrown: no Error");
        span.recordException(failure);
        span.setStatus({ code: SpanStatusCode.ERROR, message: textOf(failure, "message") ?? "" });
      }
      span.end();
    };
    return { span: { traceparent: traceparentOf(span.spanContext()), end }, context: trace.setSpan(parent, span) };
  }
}

/** Loads the API. Undefined, and nothing is loaded, in a thread in which no SDK is registered. */
export async function loadTelemetry(
  importModule: (specifier: string) => Promise<unknown> = (specifier) => import(specifier),
): Promise<Telemetry | undefined> {
  const registered = (globalThis as Record<symbol, unknown>)[REGISTERED] as { trace?: unknown } | undefined;
  if (registered?.trace === undefined) return undefined;
  try {
    return new Telemetry((await importModule(API)) as OpenTelemetryApi);
  } catch {
    return undefined;
  }
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

function parse(traceparent: string | undefined): (SpanContext & { isRemote: true }) | undefined {
  const match = TRACEPARENT.exec(traceparent ?? "");
  if (match === null) return undefined;
  const [, traceId, spanId, flags] = match;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}
