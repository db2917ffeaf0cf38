import { expect, onTestFinished, test, vi } from "vitest";
import type Sleeper from "../fixtures/sleeper.actor.js";
import { fixture, testSystem } from "../support/system.js";

const sleeperIn = async () =>
  (await testSystem()).startChild<typeof Sleeper>({ id: "sleeper", actor: fixture("sleeper") });

// Promise: main-sleeps-waits-handler
test("main is idle while it waits for a handler that takes long", async () => {
  const sleeper = await sleeperIn();
  // Replies that come at once: main looks for the next ones itself.
  for (let i = 0; i < 1000; i++) await sleeper.call("sleep", 0);
  const before = process.cpuUsage();
  await sleeper.call("sleep", 1000);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(500);
});

// Promise: main-sleeps-waits-handler
test("main's event loop turns between replies, however fast they come", async () => {
  const sleeper = await sleeperIn();
  let turns = 0;
  const turn = (): void => {
    if (++turns < 50) setTimeout(turn, 0);
  };
  turn();
  while (turns < 50) await Promise.all(Array.from({ length: 64 }, () => sleeper.call("sleep", 0)));
  // It came to its end.
  expect(turns).toBe(50);
});

test("replies that come early and late are all taken, whichever way main waits for them", async () => {
  const sleeper = await sleeperIn();
  for (let i = 0; i < 1500; i++) {
    const forMs = i % 40 === 0 ? 2 : i % 7 === 0 ? 0.1 : 0;
    expect(await sleeper.call("sleep", forMs)).toBe(forMs);
  }
});

test("calls are answered while the timers of the process are false ones", async () => {
  const sleeper = await sleeperIn();
  await sleeper.call("sleep", 0);
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  for (let i = 0; i < 100; i++) expect(await sleeper.call("sleep", i % 10)).toBe(i % 10);
});
