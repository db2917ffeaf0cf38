import { expect, test } from "vitest";
import { MonitorNumbers } from "#runtime/signals/monitor-numbers.js";

test("a monitor is known by either number until it fires or is taken off, and then by none", () => {
  const numbers = new MonitorNumbers<string>();
  numbers.add("a", 1, 101);
  numbers.add("a", 2, 102);
  numbers.add("b", 1, 103);
  expect(numbers.takeOwn("a", 102)).toBe(2);
  expect(numbers.takeOwn("a", 102)).toBeUndefined();
  expect(numbers.take("a", 2)).toBeUndefined();
  expect(numbers.takeOwn("b", 101)).toBeUndefined();
  expect(numbers.take("a", 1)).toBe(101);
  expect(numbers.takeOwn("a", 101)).toBeUndefined();
  numbers.forgetAll("b");
  expect(numbers.takeOwn("b", 103)).toBeUndefined();
});
