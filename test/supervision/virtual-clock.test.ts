import { expect, test } from "vitest";
import { virtualClock } from "#runtime/supervision/virtual-clock.js";

test("time stands still until it is advanced", async () => {
  const clock = virtualClock();
  expect(clock.now()).toBe(0);
  await clock.advance(250);
  expect(clock.now()).toBe(250);
});

test("timers are called at their own moment, in order, those of the same moment as they were set", async () => {
  const clock = virtualClock();
  const calls: [string, number][] = [];
  const call = (name: string) => () => calls.push([name, clock.now()]);
  clock.setTimer(30, call("late"));
  clock.setTimer(10, call("early"));
  clock.setTimer(30, call("late too"));
  await clock.advance(30);
  expect(calls).toEqual([
    ["early", 10],
    ["late", 30],
    ["late too", 30],
  ]);
});

test("a timer that is set on the way is called in the same advance when it comes due", async () => {
  const clock = virtualClock();
  const calls: number[] = [];
  const again = async () => {
    calls.push(clock.now());
    await Promise.resolve();
    clock.setTimer(10, again);
  };
  clock.setTimer(10, again);
  await clock.advance(35);
  expect(calls).toEqual([10, 20, 30]);
});

test("a cancelled timer is never called", async () => {
  const clock = virtualClock();
  let called = false;
  clock.setTimer(10, () => (called = true)).cancel();
  await clock.advance(100);
  expect(called).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

test("time does not go back, nor anywhere that is no number", async () => {
  const clock = virtualClock();
  for (const ms of [-1, Number.NaN]) await expect(clock.advance(ms)).rejects.toThrow(RangeError);
  expect(clock.now()).toBe(0);
});
