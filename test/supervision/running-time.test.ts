import { expect, test } from "vitest";
import type { Clock } from "#runtime/supervision/clock.js";
import { afterRunning } from "#runtime/supervision/running-time.js";

/** Time passes only by `run` and by `block`, and timers that came due in a block are called late. */
class BlockableClock implements Clock {
  #now = 0;
  #pending: { at: number; fn: () => void } | undefined;

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fn: () => void) {
    const timer = { at: this.#now + ms, fn };
    this.#pending = timer;
    return {
      cancel: () => {
        if (this.#pending === timer) this.#pending = undefined;
      },
    };
  }

  get pending(): boolean {
    return this.#pending !== undefined;
  }

  run(ms: number): void {
    const end = this.#now + ms;
    while (this.#pending !== undefined && this.#pending.at <= end) this.#fire(Math.max(this.#now, this.#pending.at));
    this.#now = end;
  }

  block(ms: number): void {
    this.#now += ms;
    if (this.#pending !== undefined && this.#pending.at <= this.#now) this.#fire(this.#now);
  }

  #fire(at: number): void {
    const { fn } = this.#pending!;
    this.#pending = undefined;
    this.#now = at;
    fn();
  }
}

function started(ms: number) {
  const clock = new BlockableClock();
  let over = 0;
  const timer = afterRunning(clock, ms, () => over++);
  return { clock, timer, over: () => over };
}

test("where main runs all the time it is over when that time is over", () => {
  const { clock, over } = started(1050);
  clock.run(1049);
  expect(over()).toBe(0);
  clock.run(1);
  expect(over()).toBe(1);
  expect(clock.pending).toBe(false);
});

// Promise: time-main-blocked-does
test("a time in which main was blocked does not count", () => {
  const { clock, over } = started(1000);
  clock.run(450);
  clock.block(60_000);
  clock.run(499);
  expect(over()).toBe(0);
  clock.run(1);
  expect(over()).toBe(1);
});

test("after a block at its very end there is time left for what has arrived meanwhile", () => {
  const { clock, over } = started(1000);
  clock.run(990);
  clock.block(5_000);
  clock.run(99);
  expect(over()).toBe(0);
  clock.run(1);
  expect(over()).toBe(1);
});

// Promise: time-main-blocked-does
test("a main that is blocked again and again ends it all the same", () => {
  const { clock, over } = started(1000);
  let blocks = 0;
  for (; over() === 0; blocks++) clock.block(60_000);
  expect(blocks).toBeLessThan(12);
});

test("it can be cancelled at any time", () => {
  const { clock, timer, over } = started(1000);
  clock.run(450);
  timer.cancel();
  expect(clock.pending).toBe(false);
  clock.run(5_000);
  expect(over()).toBe(0);
});
