import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/runtime-semantics.md", root), "utf8");

interface Promised {
  readonly sentence: string;
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

/** `- sentence`, and under it `  - `file`: name` for each test. */
function promises(): Promised[] {
  const [, ...items] = page.split(/^- /m);
  return items.map((item) => {
    const [sentence, ...lines] = item.split(/\n(?=\s*- `)/);
    const tests = lines.map((line) => /^\s*- `(?<file>[^`]+)`: (?<name>.+)/.exec(line)?.groups);
    return { sentence, tests: tests as unknown as Promised["tests"] };
  });
}

/** Placeholders of a name that is made for each case of a table. */
const PLACEHOLDER = /\$\{[^}]*\}|%[sio]|\$\w+/;

/** What the string literals of a file can be the name of, less the cases of OTP's that stand in front. */
function namesIn(file: string): RegExp[] {
  const source = readFileSync(new URL(`test/${file}`, root), "utf8");
  const literals = [...source.matchAll(/"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`/g)].map(([, a, b]) => a ?? b);
  return literals.flatMap((literal) => {
    const name = literal.replace(/^(?:\[[^\]]*\] )+/, "");
    const fixed = name.split(new RegExp(PLACEHOLDER, "g"));
    // A name that is all placeholder would pass for any.
    if (fixed.join("").trim().length < 8) return [];
    return [new RegExp(`^${fixed.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`)];
  });
}

const files = new Map<string, RegExp[]>();
const isTest = (file: string, name: string) => {
  if (!files.has(file)) files.set(file, namesIn(file));
  return files.get(file)?.some((pattern) => pattern.test(name)) === true;
};

test("each promise names a test", () => {
  expect(promises().length).toBeGreaterThanOrEqual(80);
  expect(promises().filter(({ tests }) => tests.length === 0)).toEqual([]);
});

test("each test that a promise names exists", () => {
  const missing = promises().flatMap(({ tests }) =>
    tests.filter(({ file, name }) => !isTest(file, name)).map(({ file, name }) => `${file}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test("a test that does not exist would be missed", () => {
  const { file, name } = promises()[0].tests[0];
  expect(isTest(file, name)).toBe(true);
  expect(isTest(file, `${name} or not`)).toBe(false);
  expect(isTest(file, "")).toBe(false);
});
