import { context, propagation, SpanKind, type TextMapPropagator, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

export interface SeenSpan {
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string | undefined;
  readonly error: string | undefined;
  /** The spans that it links to. */
  readonly links: readonly string[];
}

/** Registers an OpenTelemetry SDK in this thread, as a user would. Returns what takes the spans that have ended. */
export function registerSdk(propagator?: TextMapPropagator): () => SeenSpan[] {
  if (propagator !== undefined) propagation.setGlobalPropagator(propagator);
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return () => {
    const spans = exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      kind: SpanKind[span.kind],
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
      parent: span.parentSpanContext?.spanId,
      error: span.status.message,
      links: span.links.map((link) => link.context.spanId),
    }));
    exporter.reset();
    return spans;
  };
}
