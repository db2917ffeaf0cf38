import { recordFailure } from "@mini-otp/worker-host/protocol/options";
import { expect, test } from "vitest";

/** Records failures at these times, and says of each whether a restart was allowed. */
function allowed(times: readonly number[], intensity: number, periodMs: number): boolean[] {
  let failures: readonly number[] = [];
  return times.map((at) => {
    const result = recordFailure(failures, at, { intensity, periodMs });
    failures = result.failures;
    return result.restartAllowed;
  });
}

// Promise: restart-allowed-more-than
test("as many restarts as the intensity are allowed within the period, and not one more", () => {
  expect(allowed([0, 1, 2, 3], 3, 5_000)).toEqual([true, true, true, false]);
});

// Promise: time-monotonic-milliseconds-failure
test("a failure exactly one period ago still counts", () => {
  expect(allowed([0, 5_000], 1, 5_000)).toEqual([true, false]);
});

test("a failure more than one period ago is forgotten", () => {
  expect(allowed([0, 5_000.001], 1, 5_000)).toEqual([true, true]);
});

test("[multiple_restarts] failures that keep their distance never reach the limit", () => {
  const times = Array.from({ length: 100 }, (_, i) => i * 2_501);
  expect(allowed(times, 2, 5_000)).not.toContain(false);
});

// Promise: intensity-0-first-restart
test("with intensity 0 the first restart needed is one too many", () => {
  expect(allowed([0], 0, 5_000)).toEqual([false]);
});

test("only failures within the period are remembered", () => {
  const { failures } = recordFailure([0, 10, 20, 30], 35, { intensity: 3, periodMs: 10 });
  expect(failures).toEqual([30, 35]);
});
