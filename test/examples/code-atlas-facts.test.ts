import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { example, exampleUrl, lastLine, parse, tree } from "./code-atlas.js";

const { readFacts, SOURCE_LIMIT } = await example("parse-file");
const { memoryFor } = await example("run-actors");
const exportsOf = (path: string, source: string) => parse(path, source).exports;

describe("what a file imports", () => {
  test.each<[string, string, string, string[]]>([
    ["an import", "a.js", 'import a, { b } from "p"; import "q";', ["p", "q"]],
    ["a type import", "a.ts", 'import type { A } from "p";', ["p"]],
    ["a dynamic import", "a.js", 'const p = import("p"); import(r);', ["p"]],
    ["require", "a.cjs", 'require("p"); require.resolve("q"); require(r); other("s");', ["p", "q"]],
    ["a re-export", "a.js", 'export * from "p"; export { a } from "q";', ["p", "q"]],
    ["a type re-export", "a.ts", 'export type { A } from "p";', ["p"]],
    ["import equals", "a.ts", 'import p = require("p");', ["p"]],
    ["an import type", "a.d.ts", 'export declare const a: import("p").A;', ["p"]],
    ["import types among values", "a.ts", 'let a = b as import("p").A; (await import("q")) as Q;', ["p", "q"]],
    ["JSX", "a.jsx", 'import p from "p"; export default () => <p.A b={1}>text</p.A>;', ["p"]],
    ["TSX", "a.tsx", 'import p from "p"; const a = <T,>(t: T) => <p>{t as never}</p>;', ["p"]],
    ["the same twice", "a.js", 'import a from "p"; import b from "p";', ["p"]],
  ])("%s", (_, path, source, expected) => {
    const { error, imports } = parse(path, source);
    expect(error).toBeNull();
    expect(imports).toEqual(expected);
  });
});

describe("what a file exports", () => {
  test.each<[string, string, string, string[]]>([
    [
      "declarations",
      "a.js",
      "export const a = 1, b = 2; export function c() {} export class D {}",
      ["a", "b", "c", "D"],
    ],
    ["patterns", "a.js", "export const { a, b: c } = x, [d, , e] = y;", ["a", "c", "d", "e"]],
    ["lists", "a.js", 'const a = 1; export { a, a as b, a as "c d", a as default };', ["a", "b", "c d", "default"]],
    ["the default", "a.js", "export default 1", ["default"]],
    ["a default with a name", "a.js", "export default function f() {}", ["default"]],
    ["everything of another", "a.js", 'export * from "p"; export * as ns from "p";', ["*", "ns"]],
    [
      "types",
      "a.ts",
      "export interface A {} export type B = A; export enum C {} export namespace N {}",
      ["A", "B", "C", "N"],
    ],
    ["what is declared", "a.d.ts", "export declare const a: 1; export declare function b(): void;", ["a", "b"]],
    ["export equals", "a.d.ts", "declare const a: 1; export = a;", ["="]],
    ["CommonJS names", "a.js", "exports.a = 1; module.exports.b = 2; exports.a = 4; other.c = 5;", ["a", "b"]],
    ["module.exports", "a.cjs", "module.exports = {}", ["module.exports"]],
    [
      "a getter on exports",
      "a.js",
      'Object.defineProperty(exports, "a", {}); Object.defineProperty(b, "c", {});',
      ["a"],
    ],
    [
      "names of Object.prototype",
      "a.js",
      "export const constructor = 1, __proto__ = 2, toString = 3;",
      ["constructor", "__proto__", "toString"],
    ],
  ])("%s", (_, path, source, expected) => {
    expect(parse(path, source).error).toBeNull();
    expect(exportsOf(path, source)).toEqual(expected);
  });
});

describe("identifiers", () => {
  test("are counted as often as they are written", () => {
    const facts = parse("a.mjs", 'import { a } from "p"; const { b } = a; f({ a, c: b }); export { a };');
    expect(Object.fromEntries(facts.identifiers)).toEqual({ a: 4, b: 2, f: 1, c: 1 });
  });

  test("include JSX, types, private names and names of Object.prototype", () => {
    const source = "class A<T> { #x: T; constructor() { this.#x = __proto__.toString; } } <A.B c={1} />";
    expect(new Map(parse("a.tsx", source).identifiers)).toEqual(
      new Map(Object.entries({ A: 2, T: 2, "#x": 2, constructor: 1, toString: 1, B: 1, c: 1 })).set("__proto__", 1),
    );
  });

  test("leave keywords and import.meta out", () => {
    expect(parse("a.mjs", "if (import.meta.url) new.target; else void 0").identifiers).toEqual([["url", 1]]);
  });
});

describe("a file that is hard to parse", () => {
  test("is a parse error that says where", () => {
    expect(parse("a.js", "const = 1")).toMatchObject({
      error: "unexpected syntax (1:0)",
      imports: [],
      identifiers: [],
    });
    expect(parse("a.js", "let a;\nif (a { }").error).toBe('")" expected (2:5)');
  });

  test("keeps its facts, before the mistake and after it", () => {
    const facts = parse("a.mjs", 'import a from "p";\nconst = 1;\nexport { b } from "q";');
    expect(facts.error).toBe("unexpected syntax (2:0)");
    expect(facts.imports).toEqual(["p", "q"]);
    expect(facts.exports).toEqual(["b"]);
  });

  test.each([
    ["a sum", `a${"+a".repeat(20_000)}`],
    ["a chain of calls", `a${".b()".repeat(10_000)}`],
    ["else if", `if (a) b;${" else if (a) b;".repeat(10_000)}`],
    ["arrays", `${"[".repeat(10_000)}a${"]".repeat(10_000)}`],
    ["a pattern", `export const ${"[".repeat(10_000)}a${"]".repeat(10_000)} = b`],
    ["calls", `${"a(".repeat(60_000)}a${")".repeat(60_000)}`],
    ["imports in imports", `${"import(".repeat(10_000)}a${")".repeat(10_000)}`],
  ])("is not one that is nested deeply: %s", (_, source) => {
    const { error, identifiers } = parse("a.js", source);
    expect(error).toBeNull();
    expect(identifiers[0]?.[0]).toBe("a");
  });

  test("may be as wide as it likes", () => {
    const names = Array.from({ length: 200_000 }, (_, i) => `a${i}`);
    expect(exportsOf("a.js", `export const ${names.map((name) => `${name} = 1`)}`)).toEqual(names);
  });

  test("is read to its end when nothing in it makes sense", () => {
    expect(parse("a.js", "[".repeat(100_000)).error).toMatch(/^unexpected syntax/);
    expect(parse("a.js", ",".repeat(100_000)).error).toMatch(/^unexpected syntax/);
    expect(parse("a.js", `[${",".repeat(100_000)}]`).error).toBeNull();
  });

  test("is given up after the same amount of work on every thread, and the next is parsed", () => {
    const facts = parse("a.js", ";".repeat(2_000_000));
    expect(facts).toMatchObject({ error: "takes too long to parse", imports: [], exports: [], identifiers: [] });
    expect(parse("b.js", "b").identifiers).toEqual([["b", 1]]);
  });

  test("never makes the parser throw, whatever the text", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "(",
      ")",
      "<",
      ">",
      "import ",
      "export ",
      "a",
      "`${",
      "*/",
      "//",
      "\n",
      "'",
      "=>",
      "@",
      "#",
      "\uD800",
    );
    fc.assert(
      fc.property(fc.array(piece), fc.constantFrom("a.js", "a.ts", "a.tsx", "a.d.ts", "a.cjs"), (pieces, path) => {
        expect(parse(path, pieces.join(""))).toEqual(parse(path, pieces.join("")));
      }),
    );
  });
});

test("the memory for syntax trees is used again, and stays under what a parser is given", async () => {
  // In a process of its own: this memory never shrinks.
  const program = `
    const { parseFile } = await import(${JSON.stringify(exampleUrl("parse-file"))});
    const source = "export function f(x) { return x.y + a; }\\n".repeat(25_000);
    const afterEach = [1, 2, 3].map(() => {
      parseFile("a.js", source, source.length);
      return process.memoryUsage().external / 2 ** 20;
    });
    console.log(JSON.stringify({ bytes: source.length, afterEach }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  const { bytes, afterEach } = lastLine(stdout) as { bytes: number; afterEach: number[] };
  expect(Math.max(...afterEach)).toBeLessThan(memoryFor(bytes).offHeapCapMb);
  expect(afterEach[2]).toBeCloseTo(afterEach[0] as number, -1);
});

test("a file over the limit is not parsed", () => {
  const bytes = SOURCE_LIMIT + 1;
  expect(readFacts(tree(), { path: "a.js", bytes })).toMatchObject({
    bytes,
    error: expect.stringMatching(/^larger than/),
  });
});
