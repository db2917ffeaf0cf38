import { context, createTraceState, propagation, trace } from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "vitest";
import type Carrying from "../fixtures/carrying.actor.js";
import { PROPAGATORS } from "../support/propagators.js";
import { registerSdk } from "../support/spans.js";
import { fixture, testSystem } from "../support/system.js";

afterEach(() => {
  for (const api of [trace, context, propagation]) api.disable();
});

const REMOTE = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
  isRemote: true,
};

/** Runs this as within a request that came with a trace, a vendor's trace state and baggage. */
function asRequest<T>(run: () => Promise<T>): Promise<T> {
  const span = { ...REMOTE, traceState: createTraceState("vendor=opaque") };
  const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
  return context.with(propagation.setBaggage(trace.setSpanContext(context.active(), span), baggage), run);
}

async function carryingSystem(propagator: keyof typeof PROPAGATORS) {
  registerSdk(PROPAGATORS[propagator]());
  const system = await testSystem();
  const spec = { actor: fixture("carrying"), env: { PROPAGATOR: propagator } };
  const a = await system.startChild<typeof Carrying>({ id: "a", ...spec });
  const b = await system.startChild<typeof Carrying>({ id: "b", ...spec });
  return { system, a, b };
}

// B3 has no place for a vendor's trace state.
describe.each([
  { propagator: "w3c", tracestate: "vendor=opaque" },
  { propagator: "b3", tracestate: undefined },
] as const)("with the propagator $propagator", ({ propagator, tracestate }) => {
  const whole = { traceId: REMOTE.traceId, tracestate, tenant: "acme" };

  // Promise: opentelemetry-propagator
  test("trace, trace state and baggage reach an actor, and the actors it calls, with callSync too", async () => {
    const { a, b } = await carryingSystem(propagator);
    await asRequest(async () => {
      expect(await a.call("carried")).toEqual(whole);
      expect(await a.call("viaCall", b)).toEqual(whole);
      expect(await a.call("viaCallSync", b)).toEqual(whole);
    });
    expect(await a.call("carried")).toMatchObject({ tracestate: undefined, tenant: undefined });
  });

  // Promise: opentelemetry-propagator
  test("a timer and a continuation go on in the trace that set them; an interval links to it and keeps the baggage", async () => {
    const { system, a } = await carryingSystem(propagator);
    await asRequest(() => a.call("timers"));
    const seen = await a.call("seen");
    const spans = await a.call("spans");
    await system.terminateChild("a");
    const inTrace = seen.filter(({ traceId }) => traceId === REMOTE.traceId);
    expect(inTrace).toEqual([whole, whole]);
    expect(seen.map(({ tenant }) => tenant)).toEqual(seen.map(() => "acme"));
    const setter = spans.find(({ name }) => name === "root/a/timers");
    const fires = spans.filter(({ links }) => links.length > 0);
    expect(fires.length).toBeGreaterThan(0);
    for (const { traceId, links } of fires) {
      expect(traceId).not.toBe(REMOTE.traceId);
      expect(links).toEqual([setter?.spanId]);
    }
  });
});

// Promise: opentelemetry-propagator
test("a propagator that throws costs a message its trace and nothing else", async () => {
  const broken = {
    inject: () => {
      throw new Error("inject");
    },
    extract: () => {
      throw new Error("extract");
    },
    fields: () => ["broken"],
  };
  const { a } = await carryingSystem("w3c");
  propagation.disable();
  propagation.setGlobalPropagator(broken);
  await asRequest(async () => {
    expect((await a.call("carried")).tenant).toBeUndefined();
  });
});
