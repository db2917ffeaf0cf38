import fc from "fast-check";
import { expect, test } from "vitest";
import { Timers } from "#worker-host/loop/timers.js";

interface Expected {
  readonly id: number;
  readonly everyMs: number;
  due: number;
}

/** A list that is sorted whenever it is asked. */
class NaiveTimers {
  timers: Expected[] = [];

  get #sorted(): Expected[] {
    return [...this.timers].sort((a, b) => a.due - b.due || a.id - b.id);
  }

  get nextDue(): number {
    return this.#sorted[0]?.due ?? Infinity;
  }

  cancel(id: number): boolean {
    const before = this.timers.length;
    this.timers = this.timers.filter((timer) => timer.id !== id);
    return this.timers.length < before;
  }

  takeDue(now: number): number | undefined {
    const [first] = this.#sorted;
    if (first === undefined || first.due > now) return undefined;
    if (first.everyMs === 0) this.cancel(first.id);
    else
      do first.due += first.everyMs;
      while (first.due < now);
    return first.id;
  }
}

const aStep = fc.record({
  do: fc.constantFrom("add", "add", "add", "cancel", "take", "carry over"),
  // Often the same moment.
  delayMs: fc.constantFrom(0, 1, 5, 5, 5, 20),
  everyMs: fc.constantFrom(0, 0, 0, 2, 7),
  nth: fc.nat(),
  passesMs: fc.constantFrom(0, 0, 1, 6),
});

test("timers fire by when they are due and, of those due at once, as they were set, whatever is cancelled between", () => {
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 200 }), (steps) => {
      let timers = new Timers();
      const model = new NaiveTimers();
      const ids: number[] = [];
      let now = 0;
      for (const step of steps) {
        now += step.passesMs;
        switch (step.do) {
          case "add": {
            const id = timers.add(now, step.delayMs, step.everyMs, "tick", []);
            expect(ids).not.toContain(id);
            ids.push(id);
            model.timers.push({ id, everyMs: step.everyMs, due: now + step.delayMs });
            break;
          }
          case "cancel": {
            const id = ids[step.nth % ids.length] ?? 7;
            expect(timers.cancel(id)).toBe(model.cancel(id));
            break;
          }
          case "take":
            expect(timers.takeDue(now)?.id).toBe(model.takeDue(now));
            break;
          case "carry over": {
            const saved = timers.save(now);
            timers = new Timers();
            timers.restore(now, saved.timers, saved.lastTimer);
          }
        }
        expect(timers.nextDue).toBe(model.nextDue);
      }
    }),
  );
});

test("100 000 timers are set again in any order, and each fires once", () => {
  const timers = new Timers();
  const count = 100_000;
  const ids = Array.from({ length: count }, (_, i) => timers.add(0, 60_000, 0, `m${i}`, []));
  for (let i = 0; i < count; i++) {
    const at = (i * 7_919) % count;
    expect(timers.cancel(ids[at])).toBe(true);
    ids[at] = timers.add(i, 60_000, 0, `m${at}`, []);
  }
  const fired: string[] = [];
  for (let timer = timers.takeDue(Infinity); timer !== undefined; timer = timers.takeDue(Infinity)) {
    fired.push(timer.method);
  }
  expect(fired).toEqual(Array.from({ length: count }, (_, i) => `m${(i * 7_919) % count}`));
  expect(ids.some((id) => timers.cancel(id))).toBe(false);
});
