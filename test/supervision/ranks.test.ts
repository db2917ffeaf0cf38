import fc from "fast-check";
import { expect, test } from "vitest";
import { RankSet } from "#runtime/supervision/rank-set.js";

// Next to the edges of words, and of words of words.
const aRank = fc.oneof(fc.nat(70), fc.constantFrom(1_023, 1_024, 1_025, 32_767, 32_768), fc.nat(40_000));

test("a set of ranks knows its least, its greatest and the next above any, as a sorted list does", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), aRank), { maxLength: 200 }), fc.array(aRank), (changes, asked) => {
      const ranks = new RankSet();
      const model = new Set<number>();
      for (const [added, rank] of changes) {
        if (added) ranks.add(rank);
        else ranks.delete(rank);
        if (added) model.add(rank);
        else model.delete(rank);
        expect(ranks.size).toBe(model.size);
        expect(ranks.first()).toBe(Math.min(...model, Infinity) === Infinity ? -1 : Math.min(...model));
        expect(ranks.last()).toBe(Math.max(...model, -1));
      }
      const sorted = [...model].sort((a, b) => a - b);
      for (const rank of asked) {
        expect(ranks.has(rank)).toBe(model.has(rank));
        expect(ranks.after(rank)).toBe(sorted.find((other) => other > rank) ?? -1);
      }
      ranks.clear();
      expect([ranks.size, ranks.first(), ranks.last(), ranks.after(0)]).toEqual([0, -1, -1, -1]);
    }),
  );
});
