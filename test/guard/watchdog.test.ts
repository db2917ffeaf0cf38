import { expect, test } from "vitest";
import { type Activity, judgeWatch, passed, slowAfterMs, startWatch, watch } from "#runtime/guard/watchdog.js";

const LIMIT_MS = 100;
const METHOD = 7;
const idle: Activity = { handling: 0, dispatches: 1, turns: 1, parked: true, idleMs: undefined };
const handling: Activity = { handling: METHOD, dispatches: 2, turns: 1, parked: false, idleMs: undefined };

/** Looks at these moments, and judges at the last. */
function after(...looks: readonly (readonly [nowMs: number, seen: Activity])[]) {
  let state = startWatch(0);
  let nowMs = 0;
  for (const [atMs, seen] of looks) {
    nowMs = atMs;
    state = watch(state, seen, nowMs);
  }
  return judgeWatch(state, LIMIT_MS, nowMs);
}

test("a handler that runs for longer than it may is stuck, since it was first seen", () => {
  expect(after([10, handling], [109, handling])).toBeUndefined();
  expect(after([10, handling], [110, handling])).toEqual({ method: METHOD, afterMs: 100 });
});

test("an async handler that is never done is stuck although its thread sleeps", () => {
  const waiting = { ...handling, parked: true };
  expect(after([0, waiting], [100, waiting])).toEqual({ method: METHOD, afterMs: 100 });
});

test("the same handler again and again is no stuck handler", () => {
  expect(after([0, handling], [100, { ...handling, dispatches: 3 }])).toBeUndefined();
});

test("an actor that idles in its doorbell is never stuck", () => {
  expect(after([0, idle], [1_000_000, idle])).toBeUndefined();
});

test("an event loop that neither turns nor idles is stuck in a callback", () => {
  const looping = { ...idle, idleMs: 50 };
  expect(after([0, looping], [100, looping])).toEqual({ method: 0, afterMs: 100 });
});

test("an event loop that idles between its callbacks is not", () => {
  expect(after([0, { ...idle, idleMs: 50 }], [100, { ...idle, idleMs: 60 }])).toBeUndefined();
});

test("looks that do not ask for the event loop's idle time neither accuse nor excuse it", () => {
  const looping = { ...idle, idleMs: 50 };
  expect(after([0, looping], [60, idle], [100, looping])).toEqual({ method: 0, afterMs: 100 });
  expect(after([0, looping], [100, idle])).toBeUndefined();
});

test("a loop that takes replies without dispatching is not stuck", () => {
  const busy = { ...idle, parked: false };
  expect(after([0, { ...busy, turns: 2 }], [100, { ...busy, turns: 3 }])).toBeUndefined();
  expect(after([0, { ...busy, turns: 2 }], [100, { ...busy, turns: 2 }])).toEqual({ method: 0, afterMs: 100 });
});

test("time in which the watchdog could not look does not count", () => {
  expect(passed(5, 5)).toBe(5);
  expect(passed(1000, 1000)).toBe(1000);
  expect(passed(60_000, 5)).toBe(105);
});

test("an infinite limit turns the watchdog off", () => {
  let state = startWatch(0);
  state = watch(state, handling, 0);
  state = watch(state, handling, 1e12);
  expect(judgeWatch(state, Infinity, 1e12)).toBeUndefined();
});

// Promise: handlertimeoutms-does-count-time
test("time in which its thread could have run and had no core is not the actor's", () => {
  const spinning = watch(startWatch(0), handling, 0);
  expect(judgeWatch(spinning, LIMIT_MS, 300, 201)).toBeUndefined();
  expect(judgeWatch(spinning, LIMIT_MS, 300, 200)).toEqual({ method: METHOD, afterMs: 300 });
});

test("a thread that never has a core is given up after ten times what it may take", () => {
  const starved = watch(startWatch(0), handling, 0);
  expect(judgeWatch(starved, LIMIT_MS, 999, 999)).toBeUndefined();
  expect(judgeWatch(starved, LIMIT_MS, 1000, 1000)).toEqual({ method: METHOD, afterMs: 1000 });
});

test("waits for a core are counted as soon as an actor looks slow", () => {
  expect(slowAfterMs(30_000)).toBe(250);
  expect(slowAfterMs(100)).toBe(25);
});
