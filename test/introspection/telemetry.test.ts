import type { ActorRef } from "@mini-otp/runtime";
import { trace } from "@opentelemetry/api";
import { beforeEach, expect, test } from "vitest";
import type Observed from "../fixtures/observed.actor.js";
import type PlainTaker from "../fixtures/plain-taker.actor.js";
import { registerSdk, type SeenSpan } from "../support/spans.js";
import { fixture, testSystem } from "../support/system.js";

// As a user would: before the system starts.
const takeSpans = registerSdk();
const tracer = trace.getTracer("test");

beforeEach(() => void takeSpans());

async function observedSystem() {
  const system = await testSystem();
  const a = await system.startChild<typeof Observed>({ id: "a", actor: fixture("observed") });
  const b = await system.startChild<typeof Observed>({ id: "b", actor: fixture("observed") });
  return { system, a, b };
}

/** Runs this within a span of the user's. */
function within<T>(name: string, run: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await run();
    } finally {
      span.end();
    }
  });
}

const named = (spans: readonly SeenSpan[], name: string, kind: string): SeenSpan =>
  spans.find((span) => span.name === name && span.kind === kind) as SeenSpan;

// Promise: opentelemetry-sdk-thread-call
test("a call is a span, and so is its handling: they join across threads, from main through actors", async () => {
  const { a, b } = await observedSystem();
  await within("request", () => a.call("relay", b, 1));
  const onMain = takeSpans();
  const inA = await a.call("spans");
  const inB = await b.call("spans");

  const request = named(onMain, "request", "INTERNAL");
  const call = named(onMain, "root/a/relay", "CLIENT");
  const relay = named(inA, "root/a/relay", "SERVER");
  const onward = named(inA, "root/b/take", "CLIENT");
  const take = named(inB, "root/b/take", "SERVER");
  const cast = named(inB, "root/b/take", "CONSUMER");
  expect([call.parent, relay.parent, onward.parent, take.parent, cast.parent]).toEqual([
    request.spanId,
    call.spanId,
    relay.spanId,
    onward.spanId,
    relay.spanId,
  ]);
  expect(new Set([request, call, relay, onward, take, cast].map(({ traceId }) => traceId)).size).toBe(1);
  expect([call, relay, onward, take].map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined]);
});

// Promise: opentelemetry-sdk-thread-call
test("a message without a sender's span begins a trace of its own", async () => {
  const { a } = await observedSystem();
  await a.cast("take", 1);
  const take = named(await a.call("spans"), "root/a/take", "CONSUMER");
  expect(take.parent).toBeUndefined();
});

// Promise: opentelemetry-sdk-thread-call
test("a call that fails is a span with the error on both sides", async () => {
  const { a } = await observedSystem();
  await a.call("refuse").catch(() => {});
  expect(named(takeSpans(), "root/a/refuse", "CLIENT").error).toBe("refused");
  expect(named(await a.call("spans"), "root/a/refuse", "SERVER").error).toBe("refused");
});

// Promise: opentelemetry-sdk-thread-call
test("whatever the arguments are, they arrive as they were sent, with a trace or without", async () => {
  const { system, a } = await observedSystem();
  const plain = await system.startChild<typeof PlainTaker>({ id: "plain", actor: fixture("plain-taker") });
  const large = new Uint8Array(1_000_000);
  await within("request", async () => {
    for (const to of [a, plain] as ActorRef<any>[]) {
      await to.call("take");
      await to.call("take", new Uint8Array(3));
      await to.call("take", new Map([[1, new Set([2n])]]), "text");
      await to.call("take", large);
      await to.with({ transfer: [] }).call("take", { nested: [null] });
      const moved = new Uint8Array(8);
      await to.with({ transfer: [moved.buffer] }).call("take", moved);
    }
  });
  const map = new Map([[1, new Set([2n])]]);
  expect(await a.call("got")).toEqual([[], [3], [map, "text"], [1_000_000], [{ nested: [null] }], [8]]);
  expect((await plain.call("got")).map((args) => args.length)).toEqual([0, 1, 2, 1, 1, 1]);
});

// Promise: without-nothing-loaded
test("a thread without an SDK loads nothing of OpenTelemetry", async () => {
  const system = await testSystem();
  const plain = await system.startChild<typeof PlainTaker>({ id: "plain", actor: fixture("plain-taker") });
  expect(await plain.call("hasApi")).toBe(false);
});
