import { expect, test } from "vitest";
import { checkGapMs, farthestOver, isOverBudget, isRunaway } from "#runtime/guard/process-budget.js";

const actor = (id: string, usedMb: number, capMb = 100) => ({ id, usedMb, capMb });

test("the process is over its budget when its resident set is, or the sum over the actors", () => {
  expect(isOverBudget(300, 299, [actor("a", 100), actor("b", 100)])).toBe(false);
  expect(isOverBudget(300, 301, [])).toBe(true);
  expect(isOverBudget(300, 200, [actor("a", 200), actor("b", 101)])).toBe(true);
});

test("the actor farthest over its share is the one to end", () => {
  const over = farthestOver(300, [actor("a", 110), actor("b", 160), actor("c", 10)]);
  expect(over).toMatchObject({ actor: { id: "b" }, usedMb: 160, shareMb: 100 });
});

test("shares are in proportion to what the specs allow", () => {
  const over = farthestOver(300, [actor("large", 180, 200), actor("small", 120, 100)]);
  expect(over).toMatchObject({ actor: { id: "small" }, shareMb: 100 });
});

test("when no actor is over its share, none is ended", () => {
  expect(farthestOver(300, [actor("a", 50), actor("b", 60)])).toBeUndefined();
  expect(farthestOver(300, [])).toBeUndefined();
});

test("over its budget, a process with a thread that survived its kill is given up for growth, not for size", () => {
  expect(isRunaway(4000, 0)).toBe(false);
  expect(isRunaway(4000, 400)).toBe(false);
  expect(isRunaway(4000, 401)).toBe(true);
  expect(isRunaway(100, 64)).toBe(false);
  expect(isRunaway(100, 65)).toBe(true);
});

test("the budget is checked the sooner again the closer the process is to it", () => {
  expect(checkGapMs(8000, 100)).toBe(50 + 150);
  expect(checkGapMs(1000, 100)).toBe(50 + 50);
  expect(checkGapMs(1000, 500)).toBe(50);
  expect(checkGapMs(1000, 2000)).toBe(50);
});
