import { MessageChannel } from "node:worker_threads";
import { pool } from "@mini-otp/runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { ControlRequests } from "#runtime/introspection/control-requests.js";
import type First from "../actor/fixtures/shop-v1.actor.js";
import type Counter from "../fixtures/counter.actor.js";
import { fixture, testSystem } from "../support/system.js";

const cell = new Int32Array(new SharedArrayBuffer(4));
/** Main does nothing else meanwhile. */
const block = (ms: number): void => void Atomics.wait(cell, 0, 0, ms);
/** The point is at which step of its work main is caught. */
const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const shop = (version: number) => new URL(`../actor/fixtures/shop-v${version}.actor.js`, import.meta.url);
const TIMEOUT_MS = 400;
const BLOCKED_MS = 500;

describe.each([0, 20, 60])("main that is blocked for longer than the timeout, from %i ms on,", (afterMs) => {
  // Promise: time-main-blocked-does
  test("does not fail a start, and the actor that has started is not ended for it", async () => {
    const system = await testSystem();
    const ended: unknown[] = [];
    system.on("actor_exited", (event) => ended.push(event));
    const starting = system.startChild<typeof Counter>({
      id: "counter",
      actor: fixture("counter"),
      startTimeoutMs: TIMEOUT_MS,
    });
    await soon(afterMs);
    block(BLOCKED_MS);
    const counter = await starting;
    expect(await counter.call("incarnation")).toBe(1);
    expect(ended).toEqual([]);
  });

  // Promise: time-main-blocked-does
  test("does not fail an upgrade", async () => {
    const system = await testSystem();
    const ref = await system.startChild<typeof First>({ id: "shop", actor: shop(1) });
    const upgraded = system.upgrade(ref, shop(2), { timeoutMs: TIMEOUT_MS });
    await soon(afterMs);
    block(BLOCKED_MS);
    await upgraded;
    expect(await (ref as unknown as { call(method: string): Promise<unknown> }).call("version")).toBe(2);
  });

  // Promise: time-main-blocked-does
  test("does not fail a pool's start nor end its tasks", async () => {
    const system = await testSystem();
    const started = system.startChild(
      pool<(n: number) => number>({
        id: "pool",
        filename: new URL("../pool/fixtures/work.js", import.meta.url),
        startTimeoutMs: TIMEOUT_MS,
        taskTimeoutMs: TIMEOUT_MS,
      }),
    );
    await soon(afterMs);
    block(BLOCKED_MS);
    const ref = await started;
    const ran = ref.run(60 as never, { name: "wait" });
    await soon(afterMs);
    block(BLOCKED_MS);
    expect(await ran).toBe(60);
    expect(ref.stats()).toMatchObject({ threadsLost: 0, incarnation: 1 });
  });
});

// Promise: time-main-blocked-does
test("an answer that has arrived while main was blocked counts", async () => {
  const requests = new ControlRequests("root/a");
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  port1.on("message", (request: number) => requests.answer(request, false, "yes"));
  const answer = requests.ask("getState", 50, (request) => port2.postMessage(request));
  block(200);
  expect(await answer).toBe("yes");
});
