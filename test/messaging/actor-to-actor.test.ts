import { expect, test } from "vitest";
import type Counter from "../fixtures/counter.actor.js";
import type Echo from "../fixtures/echo.actor.js";
import type Waiting from "../fixtures/waiting.actor.js";
import { fixture, testSystem } from "../support/system.js";

async function pair() {
  const system = await testSystem({ intensity: 100 });
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const counter = await system.startChild<typeof Counter>({ id: "counter", actor: fixture("counter") });
  return { system, echo, counter };
}

// Promise: reference-can-sent-message
test("a reference that was sent in a message can be called from there, waiting or blocking", async () => {
  const { echo, counter } = await pair();
  expect(await echo.call("addTo", counter, 3)).toBe(3);
  expect(await echo.call("addToSync", counter, 4)).toBe(7);
});

test("a reference comes back as the same reference", async () => {
  const { echo, counter } = await pair();
  const [returned] = (await echo.call("echo", [counter])) as [typeof counter];
  expect(returned.id).toBe("root/counter");
  expect(await returned.call("add", 1)).toBe(1);
});

// Promise: messages-between-actors-do
test("two actors talk while the main thread is blocked", async () => {
  const { system, counter } = await pair();
  const talker = await system.startChild({ id: "talker", actor: fixture("talker") });
  await talker.call("prepare", counter);
  await talker.cast("talk", 1000);
  // Main does not return to its event loop until the talk is over, or gives up.
  const giveUpAt = performance.now() + 10_000;
  while (system.stats(counter).mailbox.handled < 1000 && performance.now() < giveUpAt);
  expect(system.stats(counter).mailbox.handled).toBe(1000);
});

// Promise: reference-can-sent-message
test("a reference stays valid when its actor is restarted", async () => {
  const { echo, counter } = await pair();
  await counter.call("crash", "x").catch(() => {});
  expect(await echo.call("addTo", counter, 2)).toBe(2);
});

test.each([
  ["slow", 40, 10],
  ["fast", 200_000, 0],
  // Promise: actor-s-call-ends
])("an actor's call times out while it is busy with %s messages, not after them", async (_, count, forMs) => {
  const system = await testSystem();
  const echo = await system.startChild<typeof Echo>({ id: "echo", actor: fixture("echo") });
  const waiting = await system.startChild<typeof Waiting>({ id: "waiting", actor: fixture("waiting") });
  await waiting.call("ask", echo, 50);
  for (let i = 0; i < count; i++) await waiting.cast("work", forMs);
  const { code, handledBefore } = await waiting.with({ timeoutMs: 30_000 }).call("gaveUp");
  expect(code).toBe("ERR_CALL_TIMEOUT");
  expect(handledBefore).toBeLessThan(count);
});
