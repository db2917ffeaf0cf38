import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { B3Propagator } from "@opentelemetry/propagator-b3";

/** What each propagator test registers, in main and in the actors' threads. */
export const PROPAGATORS = {
  b3: () => new CompositePropagator({ propagators: [new B3Propagator(), new W3CBaggagePropagator()] }),
  w3c: () => new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
};
