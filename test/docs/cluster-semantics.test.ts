import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const PAGE = new URL("../../../docs/cluster-semantics.md", import.meta.url);
const TESTS = new URL("../../cluster/", import.meta.url);

const sentences = [...readFileSync(PAGE, "utf8").matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));

/** The numbers with which the names of tests begin, and in which files they are. */
function tested(): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const file of readdirSync(TESTS).filter((name) => name.endsWith(".test.ts"))) {
    const text = readFileSync(new URL(file, TESTS), "utf8");
    for (const [, numbers] of text.matchAll(/\bit(?:\.each\([^"`]*?\))?\(\s*["`](\d+(?:, \d+)*)\. /g)) {
      for (const number of numbers.split(", ").map(Number)) found.set(number, [...(found.get(number) ?? []), file]);
    }
  }
  return found;
}

describe("what a cluster promises", () => {
  it("is numbered from 1 on, without a gap", () => {
    expect(sentences).toEqual(sentences.map((_, i) => i + 1));
    expect(sentences.length).toBeGreaterThan(50);
  });

  it("has a test for each sentence, and no test of a sentence that is not there", () => {
    const numbers = tested();
    expect(sentences.filter((number) => !numbers.has(number))).toEqual([]);
    expect([...numbers.keys()].filter((number) => !sentences.includes(number))).toEqual([]);
  });
});
