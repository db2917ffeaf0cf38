import { once } from "node:events";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { dynamicSupervisor, type PartitionedSupervisorRef } from "@mini-otp/runtime";
import { expect, test } from "vitest";
import { DirectChannels, MAX_CHANNELS } from "#runtime/messaging/direct-channels.js";
import { MainChannels } from "#runtime/messaging/main-channels.js";
import { DirectPorts } from "#worker-host/loop/direct-ports.js";
import { ConsumerState } from "#worker-host/protocol/memory/consumer-state.js";
import { SLOT_HEADER_WORDS } from "#worker-host/protocol/memory/slot-descriptor.js";
import type Hands from "../fixtures/hands.actor.js";
import type Sleeper from "../fixtures/sleeper.actor.js";
import { eventually } from "../support/eventually.js";
import { pairOfHands } from "../support/pair-of-hands.js";
import { fixture, testSystem } from "../support/system.js";

interface Given {
  readonly type: string;
  readonly to: number;
  readonly peer: number;
  readonly port: MessagePort;
}

function end(ownerId: number) {
  const given: Given[] = [];
  return { ownerId, given, post: (message: unknown) => void given.push(message as Given) };
}

test("two threads get one channel, however often they exchange something", () => {
  const channels = new DirectChannels();
  const [one, other] = [end(2), end(3)];
  for (let i = 0; i < 3; i++) channels.provide(one, other);
  channels.provide(other, one);
  expect(one.given).toMatchObject([{ type: "direct_port", to: 2, peer: 3 }]);
  expect(other.given).toMatchObject([{ type: "direct_port", to: 3, peer: 2 }]);
});

test("what is not there, an actor without a thread and an actor on its own get no channel", () => {
  const channels = new DirectChannels();
  const one = end(2);
  channels.provide(undefined, one);
  channels.provide(one, undefined);
  channels.provide(one, one);
  channels.provide(one, end(0));
  expect(one.given).toEqual([]);
  expect(channels.size).toBe(0);
});

test("a thread has a bounded number of channels, and gets another when one of them has ended", () => {
  const channels = new DirectChannels();
  const one = end(2);
  for (let peer = 0; peer < 2 * MAX_CHANNELS; peer++) channels.provide(one, end(100 + peer));
  expect(one.given).toHaveLength(MAX_CHANNELS);
  channels.threadExited(100);
  channels.provide(one, end(99));
  expect(one.given.at(-1)?.peer).toBe(99);
  channels.threadExited(2);
  expect(channels.size).toBe(0);
});

test("main has a channel to any number of threads, which each count it among theirs, until they end", () => {
  const channels = new DirectChannels();
  const main = new MainChannels(1);
  const threads = Array.from({ length: 2 * MAX_CHANNELS }, (_, i) => end(100 + i));
  for (const thread of threads) channels.provide(main, thread);
  expect(threads.every(({ ownerId, given }) => given.length === 1 && main.to(ownerId) !== undefined)).toBe(true);
  const [one] = threads;
  for (let peer = 1000; peer < 1000 + MAX_CHANNELS; peer++) channels.provide(one, end(peer));
  expect(one.given).toHaveLength(MAX_CHANNELS);
  for (const { ownerId } of threads) {
    channels.threadExited(ownerId);
    main.threadExited(ownerId);
    expect(main.to(ownerId)).toBeUndefined();
  }
});

test("10 000 threads that come and go leave no channel behind", async () => {
  const channels = new DirectChannels();
  const one = end(2);
  const ports = new DirectPorts(
    2,
    () => {},
    () => {},
  );
  for (let peer = 100; peer < 10_100; peer++) {
    const other = end(peer);
    channels.provide(one, other);
    const mine = one.given.pop() as Given;
    ports.add(mine.peer, mine.port);
    other.given[0].port.close();
    channels.threadExited(peer);
    if (peer % 100 === 0) await new Promise(setImmediate);
  }
  expect(channels.size).toBe(0);
  await eventually(() => ports.size === 0);
});

// Promise: transfers-between-actors-do
test("two actors that know each other exchange buffers while main is blocked", async () => {
  const { system, giver, taker } = await pairOfHands();
  for (const method of ["exchange", "exchangeSync"] as const) {
    const times = 50;
    expect(await giver.call(method, taker, 2, 1024)).toBe(1024);
    const end = system.stats(taker).mailbox.enqueued + times;
    await giver.cast(method, taker, times, 1024);
    // Main does not return to its event loop until they are through, or it gives up.
    const giveUpAt = performance.now() + 10_000;
    while (system.stats(taker).mailbox.handled < end && performance.now() < giveUpAt);
    expect(system.stats(taker).mailbox.handled).toBe(end);
  }
});

test("what main transfers reaches an actor at rest while main is blocked", async () => {
  const { system, taker } = await pairOfHands();
  const give = async (bytes: number): Promise<number> => {
    const buffer = new ArrayBuffer(bytes);
    const { byteLength } = await taker.with({ transfer: [buffer] }).call("giveBack", buffer);
    expect(buffer.byteLength).toBe(0);
    return byteLength;
  };
  expect(await give(1024)).toBe(1024);
  expect(await give(1024)).toBe(1024);
  const handled = 2;
  await eventually(() => system.stats(taker).mailbox.handled === handled);
  const given = give(2048);
  const giveUpAt = performance.now() + 10_000;
  while (system.stats(taker).mailbox.handled === handled && performance.now() < giveUpAt);
  expect(system.stats(taker).mailbox.handled).toBe(handled + 1);
  expect(await given).toBe(2048);
});

test("what main transfers arrives after the actor has restarted, and what it cannot transfer is refused", async () => {
  const { system, taker } = await pairOfHands();
  for (let round = 1; round <= 3; round++) {
    for (let bytes = 1; bytes <= 3; bytes++) {
      const buffer = new ArrayBuffer(bytes);
      expect((await taker.with({ transfer: [buffer] }).call("giveBack", buffer)).byteLength).toBe(bytes);
    }
    const { port1 } = new MessageChannel();
    port1.close();
    await new Promise(setImmediate);
    const refused = taker.with({ transfer: [port1] }).call("giveBack", port1 as never);
    await expect(refused).rejects.toMatchObject({ code: "ERR_NOT_CLONEABLE" });
    await taker.cast("crash");
    await eventually(() => system.stats(taker).incarnation === round + 1);
  }
});

test("transferred objects come back after either side has restarted", async () => {
  const { system, giver, taker } = await pairOfHands();
  for (let round = 0; round < 4; round++) {
    expect(await giver.call("exchange", taker, 3, 1024)).toBe(1024);
    expect(await taker.call("exchangeSync", giver, 3, 2048)).toBe(2048);
    const crashed = round % 2 === 0 ? giver : taker;
    const { incarnation } = system.stats(crashed);
    await crashed.cast("crash");
    await eventually(() => system.stats(crashed).incarnation === incarnation + 1);
  }
});

// Promise: transferred-lost-says-so
test("while both sides crash and are killed at random, every exchange settles, and those that fail say why", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let random = seed;
  const next = (below: number): number => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (random >> 8) % below;
  };
  const { system, giver, taker } = await pairOfHands();
  const outcomes = new Set<string>();
  for (let round = 0; round < 6; round++) {
    const [from, to] = next(2) === 0 ? [giver, taker] : [taker, giver];
    const method = next(2) === 0 ? "exchange" : "exchangeSync";
    const exchange = from.with({ timeoutMs: 8000 }).call(method, to, 400, 64);
    const exchanged = exchange.then(
      (bytes) => (bytes === 64 ? "whole" : `BAD ${bytes}`),
      (error: { code?: string }) => error.code ?? `BAD ${error}`,
    );
    const victim = next(2) === 0 ? giver : taker;
    const handled = system.stats(victim).mailbox.handled + next(200);
    await eventually(async () => system.stats(victim).mailbox.handled >= handled || next(50) === 0);
    if (next(2) === 0) system.exit(victim, "kill");
    else await victim.cast("crash");
    outcomes.add(await exchanged);
    await eventually(() => [giver, taker].every((actor) => system.stats(actor).state === "running"));
  }
  for (const outcome of outcomes) {
    expect(outcome, `seed=${seed}`).toMatch(/^(whole|ERR_CALL_EXIT|ERR_NOPROC|ERR_NOT_CLONEABLE)$/);
  }
  expect(await giver.call("exchange", taker, 5, 64), `seed=${seed}`).toBe(64);
});

test("a port in a call that is given up while it waits is closed", async () => {
  const system = await testSystem();
  const sleeper = await system.startChild<typeof Sleeper>({ id: "sleeper", actor: fixture("sleeper") });
  const { port1, port2 } = new MessageChannel();
  let isClosed = false;
  port2.on("close", () => {
    isClosed = true;
  });
  const asleep = sleeper.call("sleep", 100);
  const giveUp = new AbortController();
  const refused = expect(
    sleeper.with({ transfer: [port1], signal: giveUp.signal }).call("sleep", port1 as never),
  ).rejects.toMatchObject({ code: "ERR_CALL_ABORTED" });
  giveUp.abort();
  await refused;
  await asleep;
  await eventually(() => isClosed);
});

test("an offer is taken once, and its end says whether it was", () => {
  const state = new ConsumerState(new Int32Array(new SharedArrayBuffer(SLOT_HEADER_WORDS * 4)));
  expect(state.takeOffer(2)).toBe(false);
  state.offer(2);
  expect(state.takeOffer(3)).toBe(false);
  expect(state.takeOffer(2)).toBe(true);
  expect(state.takeOffer(2)).toBe(false);
  state.returnOffer(2);
  expect(state.withdrawOffer()).toBe(false);
  state.offer(2);
  expect(state.takeOffer(2)).toBe(true);
  expect(state.withdrawOffer()).toBe(true);
  state.returnOffer(2);
  expect(state.takeOffer(2)).toBe(false);
});

test("a thread that ends returns the parcel that is under way to it", async () => {
  const ports = new DirectPorts(
    2,
    () => {},
    () => {},
    30_000,
  );
  const { port1, port2 } = new MessageChannel();
  ports.add(3, port1);
  const go = new Int32Array(new SharedArrayBuffer(4));
  const late = `
    const { parentPort, workerData: { port, go } } = require("node:worker_threads");
    parentPort.postMessage("here");
    Atomics.wait(go, 0, 0);
    port.postMessage({ type: "direct_parcel", owner: 3, number: 7, parcel: { owner: 3, number: 7 } });
  `;
  const sender = new Worker(late, { eval: true, workerData: { port: port2, go }, transferList: [port2] });
  await once(sender, "message");
  ports.expectParcel();
  Atomics.store(go, 0, 1);
  Atomics.notify(go, 0);
  expect(ports.takeUnclaimed()).toEqual([{ owner: 3, number: 7 }]);
  await sender.terminate();
  ports.to(3)?.close();
});

test("what is transferred to a suspended actor arrives when it goes on", async () => {
  const { system, giver, taker } = await pairOfHands();
  await giver.call("exchange", taker, 3, 64);
  await system.suspend(taker);
  const exchanged = giver.call("exchange", taker, 3, 64);
  await eventually(() => system.stats(taker).mailbox.length === 1);
  await system.resume(taker);
  expect(await exchanged).toBe(64);
});

test("light actors exchange buffers with an actor's thread and with each other", async () => {
  const template = { actor: fixture("hands") };
  const system = await testSystem({ children: [dynamicSupervisor({ id: "light", threads: {}, template })] });
  const light = system.child("light") as PartitionedSupervisorRef<any>;
  const [one, other] = [await light.startChild<typeof Hands>(), await light.startChild<typeof Hands>()];
  const alone = await system.startChild<typeof Hands>({ id: "alone", actor: fixture("hands") });
  expect(await one.call("exchange", alone, 20, 64)).toBe(64);
  expect(await alone.call("exchange", one, 20, 64)).toBe(64);
  expect(await alone.call("exchangeSync", one, 20, 64)).toBe(64);
  expect(await one.call("exchange", other, 20, 64)).toBe(64);
});
