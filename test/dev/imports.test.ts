import { expect, test } from "vitest";
import { reachOf, touchedModules } from "#runtime/dev/import-graph.js";
import { importSpecifiers } from "#runtime/dev/import-specifiers.js";
import { exportTargets, importTargets, packageOf } from "#runtime/dev/package-targets.js";
import { candidatesOf } from "#runtime/dev/specifier-resolver.js";

test.each([
  ['import a from "./a.js";', ["./a.js"]],
  ["import {\n  a,\n  b as c,\n} from './a.js'", ["./a.js"]],
  ['import type { A } from "./a.js"; import * as b from"./b.js"', ["./a.js", "./b.js"]],
  ['import "./a.js";import"./b.js"', ["./a.js", "./b.js"]],
  ['export * from "./a.js"; export { b } from "./b.js";', ["./a.js", "./b.js"]],
  ['const a = await import("./a.js"); import(\n/* webpackChunkName: "x" */ `./b.js`)', ["./a.js", "./b.js"]],
  ['import a from "./a.json" with { type: "json" };', ["./a.json"]],
  ["const a = require('./a.cjs'), b = require.resolve( \"./b\" );", ["./a.cjs", "./b"]],
  ['import a from "./a.js"; import b from "./a.js";', ["./a.js"]],
  ["const name = './a.js'; await import(name); import(`./${name}`)", []],
  ["important('./a.js'); const { from } = x; transform './a.js'", []],
])("%j imports %j", (source, expected) => {
  expect(importSpecifiers(source).sort()).toEqual([...expected].sort());
});

test("a source of a megabyte without an import takes no time to look through", () => {
  const began = performance.now();
  expect(importSpecifiers(`import(${"/* ".repeat(200_000)}`)).toEqual([]);
  expect(importSpecifiers(`from${" ".repeat(1_000_000)}`)).toEqual([]);
  expect(performance.now() - began).toBeLessThan(2000);
});

const graph: Record<string, readonly string[]> = { a: ["b", "c"], b: ["d"], c: ["a"], d: [], e: ["d"], f: ["f"] };
const imports = (file: string): readonly string[] => graph[file] ?? [];

test("a module reaches what it imports, also in a circle", () => {
  expect([...reachOf(["a"], imports)].sort()).toEqual(["a", "b", "c", "d"]);
  expect([...reachOf(["f"], imports)]).toEqual(["f"]);
  expect([...reachOf([], imports)]).toEqual([]);
});

test.each([
  ["d", ["A", "E"]],
  ["b", ["A"]],
  ["a", ["A"]],
  ["e", ["E"]],
  ["x", []],
])("a change of %s touches the modules %j", (file, expected) => {
  const modules = [
    ["A", ["a"]],
    ["E", ["e", "e.ts"]],
    ["F", ["f"]],
  ] as const;
  const touched = touchedModules(modules, imports, new Set([file]));
  expect([...touched]).toEqual(expected.map((module) => [module, file]));
});

test.each([
  ["pkg", { name: "pkg", subpath: "." }],
  ["pkg/sub/file.js", { name: "pkg", subpath: "./sub/file.js" }],
  ["@scope/pkg", { name: "@scope/pkg", subpath: "." }],
  ["@scope/pkg/sub", { name: "@scope/pkg", subpath: "./sub" }],
  ["@scope", undefined],
  ["", undefined],
])("the specifier %j is of the package %j", (specifier, expected) => {
  expect(packageOf(specifier)).toEqual(expected);
});

test("what a package exports and imports is found under every condition", () => {
  const conditions = { types: "./a.d.ts", import: { node: "./a.mjs" }, default: ["./a.cjs"] };
  expect(exportTargets({ exports: conditions }, ".")).toEqual(["./a.d.ts", "./a.mjs", "./a.cjs"]);
  expect(exportTargets({ exports: conditions }, "./b")).toEqual([]);
  expect(exportTargets({ exports: { ".": "./a.js", "./b/*.js": "./src/b/*.ts" } }, "./b/x/y.js")).toEqual([
    "./src/b/x/y.ts",
  ]);
  expect(exportTargets({ exports: { "./*": null } }, "./b")).toEqual([]);
  expect(exportTargets({ main: "./lib.js" }, ".")).toEqual(["./lib.js", "./index.js"]);
  expect(exportTargets({}, "./lib/a.js")).toEqual(["./lib/a.js"]);
  expect(importTargets({ imports: { "#a": "./a.js", "#b/*": { import: "./b/*.js" } } }, "#b/c")).toEqual(["./b/c.js"]);
  expect(importTargets({ imports: { "#a": "./$&.js" } }, "#a")).toEqual(["./$&.js"]);
  expect(importTargets({}, "#a")).toEqual([]);
});

test.each([
  ["/p/a.js", ["/p/a.js", "/p/a.ts", "/p/a.tsx"]],
  ["/p/a.mjs", ["/p/a.mjs", "/p/a.mts"]],
  ["/p/a.ts", ["/p/a.ts"]],
  ["/p/a.json", ["/p/a.json"]],
])("%s may be written as %j", (path, expected) => {
  expect(candidatesOf(path)).toEqual(expected);
});

test("a path without an ending may have any, or be a folder", () => {
  expect(candidatesOf("/p/a.actor")).toEqual(
    expect.arrayContaining(["/p/a.actor", "/p/a.actor.js", "/p/a.actor.ts", "/p/a.actor/index.js"]),
  );
});
