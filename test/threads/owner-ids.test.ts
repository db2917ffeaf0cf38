import { expect, test } from "vitest";
import { MAIN_OWNER_ID, OwnerIds } from "#runtime/threads/owner-ids.js";

test("every thread has an owner id of its own, and none has main's", () => {
  const ids = new OwnerIds(() => false);
  expect([ids.next(), ids.next(), ids.next()]).toEqual([2, 3, 4]);
  expect(MAIN_OWNER_ID).toBe(1);
});

test("after the largest number that a lock can hold, owner ids begin again with the first that no living thread has", () => {
  const living = new Set([2, 3, 5]);
  const ids = new OwnerIds((ownerId) => living.has(ownerId), 2 ** 31 - 2);
  expect([ids.next(), ids.next(), ids.next(), ids.next()]).toEqual([2 ** 31 - 1, 4, 6, 7]);
});

test("before they have gone round, owner ids are not looked for among the living threads", () => {
  let asked = 0;
  const ids = new OwnerIds(() => ++asked > 0);
  for (let i = 0; i < 1000; i++) ids.next();
  expect(asked).toBe(0);
});
