import { type ActorSpec, type ActorSystem, comlinkActor } from "@mini-otp/runtime";
import * as Comlink from "comlink";
import { expect, onTestFinished, test } from "vitest";
import type { Counter } from "../fixtures/exposed-counter.js";
import type { api } from "../fixtures/exposed-on-port.js";
import type Forwarding from "../fixtures/forwarding.actor.js";
import type Remote from "../fixtures/remote.actor.js";
import { Degrees, degreesHandler } from "../fixtures/remote.actor.js";
import { eventually } from "../support/eventually.js";
import { fixture, testSystem } from "../support/system.js";

async function remoteSystem(spec: Partial<ActorSpec<typeof Remote>> = {}) {
  const system = await testSystem();
  const ref = await system.startChild<typeof Remote>({ id: "remote", actor: fixture("remote"), ...spec });
  return { system, ref };
}

const exposed = <T>(name: string) => comlinkActor<T>(new URL(`../fixtures/${name}.js`, import.meta.url));

async function counterSystem(): Promise<{ system: ActorSystem; counter: Awaited<ReturnType<typeof startCounter>> }> {
  const system = await testSystem();
  return { system, counter: await startCounter(system) };
}

const startCounter = (system: ActorSystem) =>
  system.startChild({ id: "counter", actor: exposed<Counter>("exposed-counter") });

test("a remote's method is a call of the actor's", async () => {
  const { ref } = await remoteSystem();
  const remote: Comlink.Remote<any> = ref.proxy();
  expect(await remote.note("first")).toBe(1);
  expect(await ref.proxy().order()).toEqual(["first"]);
});

// Promise: calls-ref-proxy-calls
test("calls, casts and a remote's calls are handled in the order they were made", async () => {
  const { ref } = await remoteSystem();
  const remote = ref.proxy();
  const answers = [
    remote.note(1),
    ref.cast("note", 2),
    remote.note({ three: 3 }),
    ref.call("note", 4),
    remote.note([5]),
  ];
  await Promise.all(answers);
  expect(await remote.order()).toEqual([1, 2, { three: 3 }, 4, [5]]);
});

// Promise: calls-ref-proxy-calls
test("a remote's call settles when its actor dies, with the exit reason", async () => {
  const { ref } = await remoteSystem();
  const crashed = await ref
    .proxy()
    .crash()
    .catch((e: unknown) => e);
  expect(crashed).toMatchObject({
    code: "ERR_CALL_EXIT",
    reason: { kind: "error", error: { message: "let it crash" } },
  });
});

// Promise: calls-ref-proxy-calls
test("a remote's call has the timeout of its reference", async () => {
  const { ref } = await remoteSystem();
  const late = await ref
    .with({ timeoutMs: 20 })
    .proxy()
    .never()
    .catch((e: unknown) => e);
  expect(late).toMatchObject({ code: "ERR_CALL_TIMEOUT", timeoutMs: 20 });
});

// Promise: calls-ref-proxy-calls
test("a remote's call of a full mailbox is refused as any other", async () => {
  const { system, ref } = await remoteSystem({ mailbox: { capacity: 2, overflow: "reject" } });
  await system.suspend(ref);
  const remote = ref.with({ timeoutMs: 200 }).proxy();
  const outcomes = await Promise.all([1, 2, 3].map((item) => remote.note(item).catch((e: { code: string }) => e.code)));
  expect(outcomes).toEqual(["ERR_CALL_TIMEOUT", "ERR_CALL_TIMEOUT", "ERR_MAILBOX_FULL"]);
});

test("a ReplyError rejects a remote's call, and the actor lives on", async () => {
  const { ref } = await remoteSystem();
  expect(
    await ref
      .proxy()
      .refuse()
      .catch((e: unknown) => e),
  ).toMatchObject({ name: "ReplyError", code: "NOT_TODAY" });
  expect(await ref.proxy().note("on")).toBe(1);
});

// Promise: comlink-proxy-callback-runs
test("a callback runs in its caller's thread, as often as the actor calls it", async () => {
  const { ref } = await remoteSystem();
  const steps: number[] = [];
  const onStep = Comlink.proxy((step: number) => {
    steps.push(step);
    return step * 10;
  });
  expect(await ref.proxy().count(3, onStep)).toBe(60);
  expect(steps).toEqual([1, 2, 3]);
});

test("what a callback throws is thrown in the actor", async () => {
  const { ref } = await remoteSystem();
  const onStep = Comlink.proxy(() => {
    throw new TypeError("not mine");
  });
  expect(await ref.proxy().refused(onStep)).toBe("TypeError: not mine");
});

test("an actor gives another a callback, which runs in its own thread", async () => {
  const { system, ref } = await remoteSystem();
  const caller = await system.startChild<typeof Forwarding>({ id: "caller", actor: fixture("forwarding") });
  expect(await caller.call("sum", ref, 3)).toEqual({ sum: 60, steps: [1, 2, 3] });
  expect(await caller.call("bytes", ref, 1 << 20)).toBe(1 << 20);
});

// Promise: comlink-proxy-callback-runs
test("a callback whose thread has ended rejects in the actor", async () => {
  const { system, ref } = await remoteSystem();
  const caller = await system.startChild<typeof Forwarding>({ id: "caller", actor: fixture("forwarding") });
  await caller.call("abandon", ref);
  system.exit(caller, "kill");
  await eventually(async () => (await ref.call("order")).includes("ERR_NOPROC"));
});

// Promise: comlink-transfer-marks-changes
test("what Comlink.transfer marks changes hands, whatever its size", async () => {
  const { ref } = await remoteSystem();
  for (const length of [8, 4 << 20]) {
    const buffer = new ArrayBuffer(length);
    expect(await ref.proxy().size(Comlink.transfer(buffer, [buffer]))).toBe(length);
    expect(buffer.byteLength).toBe(0);
    const kept = new ArrayBuffer(length);
    expect(await ref.proxy().size(kept)).toBe(length);
    expect(kept.byteLength).toBe(length);
  }
});

// Promise: comlink-transfer-marks-changes
test("a reply that Comlink.transfer marks changes hands", async () => {
  const { ref } = await remoteSystem();
  const received = await ref.proxy().bytes(1000);
  expect([received.byteLength, new Uint8Array(received)[999]]).toEqual([1000, 7]);
  expect(await ref.call("leftOver")).toBe(0);
});

test("an object that a handler returns as Comlink.proxy arrives as its remote", async () => {
  const { ref } = await remoteSystem();
  const counter = (await ref.call("counter")) as unknown as Comlink.Remote<{ count: number; add(by: number): number }>;
  expect(await counter.add(5)).toBe(6);
  expect(await counter.count).toBe(1);
});

// Promise: value-comlink-transfer-handler
test("values of one's own class go by the transfer handler that both threads have", async () => {
  const { ref } = await remoteSystem();
  Comlink.transferHandlers.set("degrees", degreesHandler);
  onTestFinished(() => void Comlink.transferHandlers.delete("degrees"));
  const warmer = (await ref.proxy().warmer(new Degrees(10))) as unknown as Degrees;
  expect(warmer).toBeInstanceOf(Degrees);
  expect(warmer.celsius).toBe(60);
});

test("an actor's remote has methods only, and says so", async () => {
  const { ref } = await remoteSystem();
  const remote = ref.proxy() as any;
  expect(
    await remote.state.then(
      (v: unknown) => v,
      (e: unknown) => e,
    ),
  ).toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
  expect(await remote.unknown().catch((e: unknown) => e)).toMatchObject({ code: "ERR_UNKNOWN_METHOD" });
  expect(await remote.deep.path().catch((e: Error) => e.message)).toContain("an actor's remote has methods only: note");
});

test("a remote is no promise, and a released one refuses to be used", async () => {
  const { ref } = await remoteSystem();
  const remote = await ref.proxy();
  expect(await remote.note(1)).toBe(1);
  remote[Comlink.releaseProxy]();
  expect(() => remote.note(2)).toThrow("released");
});

test("another holder of a remote's port calls the same actor", async () => {
  const { ref } = await remoteSystem();
  const port = await ref.proxy()[Comlink.createEndpoint]();
  const second = Comlink.wrap<{ note(item: unknown): number; crash(): void }>(port);
  expect(await second.note("by port")).toBe(1);
  expect(await second.crash().catch((e: Error) => e.name)).toBe("ActorError");
  (port as unknown as { close(): void }).close();
});

test("an object that a module exposes is an actor: methods, properties, paths, callbacks", async () => {
  const { counter } = await counterSystem();
  const remote = counter.proxy();
  expect(await remote.add(2)).toBe(2);
  expect(await remote.addLater(3)).toBe(5);
  expect(await remote.count).toBe(5);
  expect(await (remote as any).nested.double(21)).toBe(42);
  const told: number[] = [];
  await remote.tell(Comlink.proxy((count: number) => void told.push(count)) as any);
  expect(told).toEqual([5]);
});

test("an exposed object's methods are called and cast to as any actor's", async () => {
  const { counter } = await counterSystem();
  await counter.cast("add", 2);
  expect(await counter.call("add", 2)).toBe(4);
});

// Promise: module-exposes-actor-under
test("what an exposed object throws rejects the call, and the object lives on", async () => {
  const { counter } = await counterSystem();
  await counter.call("add", 1);
  expect(
    await counter
      .proxy()
      .fail()
      .catch((e: unknown) => e),
  ).toMatchObject({
    name: "RangeError",
    message: "as comlink has it",
  });
  expect(await counter.proxy().count).toBe(1);
});

// Promise: module-exposes-actor-under
test("an exposed object is supervised: a thread that ends is started anew, and calls settle", async () => {
  const { system, counter } = await counterSystem();
  await counter.call("add", 1);
  expect(
    await counter
      .proxy()
      .exit()
      .catch((e: unknown) => e),
  ).toMatchObject({
    code: "ERR_CALL_EXIT",
    reason: { kind: "exit_called", code: 3 },
  });
  expect(await counter.call("add", 1)).toBe(1);
  expect(system.stats(counter).incarnation).toBe(2);
});

test("a module that exposes on Node's own port is an actor, and its classes can be constructed", async () => {
  const system = await testSystem();
  const ref = await system.startChild({ id: "api", actor: exposed<typeof api>("exposed-on-port") });
  const remote = ref.proxy();
  expect(await remote.greet("Ada")).toBe("hello Ada");
  const box = await new remote.Box(7);
  expect(await box.get()).toBe(7);
});

test("an exposed object may be given least privilege", async () => {
  const system = await testSystem();
  const counter = await system.startChild({
    id: "counter",
    actor: exposed<Counter>("exposed-counter"),
    permissions: {},
  });
  expect(await counter.proxy().add(2)).toBe(2);
});

test("a module that exposes nothing is ERR_ACTOR_MODULE", async () => {
  const system = await testSystem();
  const error = await system.startChild({ id: "a", actor: exposed("exposes-nothing") }).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "ERR_ACTOR_MODULE", message: expect.stringContaining("exposes nothing") });
});
