import { hashKey, leastLoadedMember, memberForKey, memberInTurn } from "@mini-otp/worker-host/protocol/memory";
import { describe, expect, test } from "vitest";

const everybody = () => true;
const keys = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);
const membersOf = (size: number, available: (member: number) => boolean = everybody) =>
  keys.map((key) => memberForKey(hashKey(key), size, available));

describe("a key's member", () => {
  test("is the same wherever and whenever it is asked for", () => {
    expect(["a", "b", "user-17", "", "ключ", 42, 7n].map((key) => memberForKey(hashKey(key), 8, everybody))).toEqual([
      7, 6, 7, 7, 7, 5, 7,
    ]);
    expect(hashKey(42)).toBe(hashKey("42"));
  });

  test.each([2, 3, 8, 31])("%i members get equal shares of the keys, within a tenth", (size) => {
    const counts = new Array<number>(size).fill(0);
    for (const member of membersOf(size)) counts[member]++;
    for (const count of counts) expect(Math.abs(count / (keys.length / size) - 1)).toBeLessThan(0.1 + size / 200);
  });

  test.each([1, 2, 4, 8, 16, 32])(
    // Promise: member-comes-only-keys
    "with one member more than %i, only its own share of the keys moves, and to it",
    (size) => {
      const [before, after] = [membersOf(size), membersOf(size + 1)];
      const moved = keys.filter((_, i) => before[i] !== after[i]);
      expect(Math.abs(moved.length / keys.length - 1 / (size + 1))).toBeLessThan(0.02);
      for (const [i, member] of after.entries()) if (member !== before[i]) expect(member).toBe(size);
    },
  );

  // Promise: member-comes-only-keys
  test("keys of a member that is away are shared out among the others, and no other key moves", () => {
    const [before, after] = [membersOf(5), membersOf(5, (member) => member !== 2)];
    const heirs = new Set<number>();
    for (const [i, member] of after.entries()) {
      if (before[i] === 2) heirs.add(member);
      else expect(member).toBe(before[i]);
    }
    expect([...heirs].sort()).toEqual([0, 1, 3, 4]);
  });

  test("is none when there are no members", () => {
    expect(memberForKey(hashKey("a"), 3, () => false)).toBe(-1);
    expect(memberForKey(hashKey("a"), 0, everybody)).toBe(-1);
  });

  test.each([undefined, null, {}, Number.NaN, Symbol("s"), true])("%s is no key", (key) => {
    expect(() => hashKey(key as never)).toThrow(TypeError);
  });
});

test("turns go round, past those that are not there, and over the counter's end", () => {
  expect([0, 1, 2, 3].map((turn) => memberInTurn(turn, 3, everybody))).toEqual([0, 1, 2, 0]);
  expect([0, 1, 2].map((turn) => memberInTurn(turn, 3, (member) => member !== 1))).toEqual([0, 2, 2]);
  expect(memberInTurn(-1, 3, everybody)).toBe((2 ** 32 - 1) % 3);
  expect(memberInTurn(5, 2, () => false)).toBe(-1);
});

test("the least loaded is chosen, and of several the one whose turn it is", () => {
  const loads = [4, 1, 3, 1];
  const choose = (turn: number, available = everybody as (member: number) => boolean) =>
    leastLoadedMember(turn, loads.length, available, (member) => loads[member]);
  expect([0, 1, 2, 3].map((turn) => choose(turn))).toEqual([1, 1, 3, 3]);
  expect(choose(0, (member) => member !== 1)).toBe(3);
  expect(choose(0, () => false)).toBe(-1);
});
