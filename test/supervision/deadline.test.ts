import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadline } from "#runtime/supervision/deadline.js";
import { virtualClock } from "#runtime/supervision/virtual-clock.js";

function deadlineThatCounts() {
  const clock = virtualClock();
  const dueAt: number[] = [];
  const deadline = new Deadline(clock, () => dueAt.push(clock.now()));
  return { clock, deadline, dueAt };
}

test("a deadline without a limit never comes, and keeps no timer", () => {
  const { clock, deadline } = deadlineThatCounts();
  expect(deadline.drawIn(Infinity)).toBe(false);
  expect(deadline.atMs).toBe(Infinity);
  expect(deadline.leftMs).toBe(Infinity);
  expect(clock.pendingTimers).toBe(0);
});

test("an earlier limit moves a deadline, and a later one does not", async () => {
  const { clock, deadline, dueAt } = deadlineThatCounts();
  expect([deadline.drawIn(500), deadline.drawIn(200), deadline.drawIn(300), deadline.drawIn(200)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(deadline.atMs).toBe(200);
  expect(clock.pendingTimers).toBe(1);
  await clock.advance(199);
  expect(deadline.leftMs).toBe(1);
  expect(dueAt).toEqual([]);
  await clock.advance(1_000);
  expect(dueAt).toEqual([200]);
  expect(deadline.leftMs).toBe(0);
});

test("a limit that has passed already is due at once, but never while it is being set", async () => {
  const { clock, deadline, dueAt } = deadlineThatCounts();
  await clock.advance(100);
  expect(deadline.drawIn(40)).toBe(true);
  expect(dueAt).toEqual([]);
  await clock.advance(0);
  expect(dueAt).toEqual([100]);
});

test("a deadline that was cancelled is not due, unless an earlier limit is set after that", async () => {
  const { clock, deadline, dueAt } = deadlineThatCounts();
  deadline.drawIn(100);
  deadline.cancel();
  expect(clock.pendingTimers).toBe(0);
  deadline.drawIn(100);
  expect(clock.pendingTimers).toBe(0);
  deadline.drawIn(50);
  await clock.advance(200);
  expect(dueAt).toEqual([50]);
});

test("a deadline that nothing is due at has no timer", () => {
  const clock = virtualClock();
  const deadline = new Deadline(clock);
  expect(deadline.drawIn(100)).toBe(true);
  expect(deadline.leftMs).toBe(100);
  expect(clock.pendingTimers).toBe(0);
});

test("whatever limits are set, and when, a deadline is due once, at the earliest of those that were set in time", async () => {
  const step = fc.record({ limit: fc.integer({ min: 0, max: 1_000 }), waitMs: fc.integer({ min: 0, max: 100 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const { clock, deadline, dueAt } = deadlineThatCounts();
      let earliest = Infinity;
      for (const { limit, waitMs } of steps) {
        if (dueAt.length > 0) break;
        earliest = Math.min(earliest, limit);
        const before = deadline.atMs;
        const setAt = clock.now();
        expect(deadline.drawIn(limit)).toBe(limit < before);
        await clock.advance(waitMs);
        for (const at of dueAt) expect(at).toBe(Math.max(earliest, setAt));
      }
      await clock.advance(2_000);
      expect(dueAt).toHaveLength(1);
      expect(deadline.atMs).toBe(earliest);
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 60 },
  );
});
