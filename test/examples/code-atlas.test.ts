import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";

interface Facts {
  path: string;
  bytes: number;
  error: string | null;
  imports: string[];
  exports: string[];
  identifiers: [string, number][];
}

/** A module of the example, as built. */
const exampleUrl = (name: string) => new URL(`../../../examples/dist/code-atlas/${name}.js`, import.meta.url).href;
const example = (name: string) => import(exampleUrl(name));
const { parseFile, readFacts, SOURCE_LIMIT } = await example("parse-file");
const { readTree, batchesOf } = await example("source-tree");
const { Atlas, moduleOf } = await example("atlas");
const { faultsOf } = await example("faults");
const { memoryFor } = await example("run-actors");
const { textReport } = await example("report");

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function tree(files: Record<string, string> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "code-atlas-"));
  folders.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const parse = (path: string, source: string): Facts => parseFile(path, source, Buffer.byteLength(source));
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

test.each([
  ["fs", "node:fs"],
  ["fs/promises", "node:fs/promises"],
  ["node:test", "node:test"],
  ["lodash", "lodash"],
  ["lodash/fp/get.js", "lodash"],
  ["@scope/name/lib", "@scope/name"],
  ["__proto__", "__proto__"],
])("%s is of %s", (specifier, name) => {
  expect(moduleOf(specifier)).toBe(name);
});

test.each(["./a", "..", "/a", "#internal", "", "https://a.example/b.js", "data:text/javascript,1", "@scope"])(
  "%j is of no package",
  (specifier) => expect(moduleOf(specifier)).toBeUndefined(),
);

describe("the walk", () => {
  const walk = (root: string, onFile = () => {}) => {
    const { files, unreadable } = readTree(root, onFile);
    return { paths: files.map(({ path }: { path: string }) => path) as string[], unreadable };
  };

  test("takes the source files, in the same order always", () => {
    const names = ["a.js", "a.mjs", "a.cjs", "a.jsx", "a.ts", "a.mts", "a.cts", "a.tsx", "a.d.ts"];
    const root = tree(Object.fromEntries([...names, "b.json", "js", "c.js.map", "d/e.js"].map((n) => [n, ""])));
    expect(walk(root).paths.sort()).toEqual([...names, "d/e.js"].sort());
    expect(walk(root)).toEqual(walk(root));
  });

  test("does not follow symbolic links, so a loop ends", () => {
    const root = tree({ "real/a.js": "", "real/deep/b.js": "" });
    symlinkSync(root, join(root, "real/deep/loop"), "junction");
    symlinkSync(join(root, "real"), join(root, "again"), "junction");
    expect(walk(root)).toEqual({ paths: ["real/a.js", "real/deep/b.js"], unreadable: 0 });
  });

  test("counts what it cannot read and goes on", () => {
    const root = tree({ "c.js": "", "gone/b.js": "", "a/d.js": "" });
    const { paths, unreadable } = walk(root, () => rmSync(join(root, "gone"), { recursive: true, force: true }));
    expect({ paths: paths.sort(), unreadable }).toEqual({ paths: ["a/d.js", "c.js"], unreadable: 1 });
  });

  test("a file that is gone when its turn comes is an error of that file", () => {
    expect(readFacts(tree(), { path: "a.js", bytes: 5 })).toMatchObject({
      path: "a.js",
      error: "cannot be read: ENOENT",
    });
  });
});

describe("batches", () => {
  const file = fc.record({ path: fc.string(), bytes: fc.nat(400_000) });

  test("hold every file once, in order, within their limits", () => {
    fc.assert(
      fc.property(fc.array(file), fc.integer({ min: 1, max: 8 }), (files, parsers) => {
        const batches = batchesOf({ files }, parsers) as (typeof files)[];
        expect(batches.flat()).toEqual(files);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(16);
          const bytes = batch.reduce((sum, { bytes }) => sum + bytes, 0);
          expect(batch.length === 1 || bytes <= 256 * 1024).toBe(true);
        }
      }),
    );
  });
});

describe("the fault plan", () => {
  const plan = (parsers: number, batches: number) =>
    Array.from({ length: parsers }, (_, parser) => faultsOf(parser, parsers, batches) as string[]);

  test("has each fault strike once, where batches are sure to come", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 200 }), (parsers, batches) => {
        expect(plan(parsers, batches).flat().sort()).toEqual(["exit", "leak", "throw"]);
        expect(plan(parsers, batches).slice(batches).flat()).toEqual([]);
      }),
    );
  });

  test("two parsers: one leaks and later throws, the other exits", () => {
    expect(plan(2, 100)).toEqual([["leak", "throw"], ["exit"]]);
  });

  test("an empty tree has none", () => {
    expect(plan(2, 0)).toEqual([[], []]);
  });
});

const name = fc.oneof(fc.constantFrom("constructor", "__proto__", "toString", "a", "b"), fc.string());
const facts: fc.Arbitrary<Facts> = fc.record({
  path: fc.constantFrom("a.js", "b.js", "c/d.ts", "__proto__", "é.js"),
  bytes: fc.nat(1_000),
  error: fc.option(fc.string()),
  imports: fc.uniqueArray(name),
  exports: fc.uniqueArray(name),
  identifiers: fc.uniqueArray(fc.tuple(name, fc.integer({ min: 1, max: 9 })), { selector: ([n]) => n }),
});
const tree_ = fc.uniqueArray(facts, { selector: ({ path }) => path });

describe("the atlas", () => {
  const merged = (files: Facts[]) => {
    const atlas = new Atlas();
    for (const file of files) atlas.add(file);
    return atlas.summarize(0);
  };

  test("is the same in whatever order the files come", () => {
    const shuffled = tree_.chain((files) =>
      fc.tuple(fc.constant(files), fc.shuffledSubarray(files, { minLength: files.length })),
    );
    fc.assert(
      fc.property(shuffled, ([files, other]) => {
        expect(merged(other)).toEqual(merged(files));
      }),
    );
  });

  test("is the same when files come again", () => {
    const repeated = tree_.chain((files) => fc.tuple(fc.constant(files), fc.array(fc.nat(50))));
    fc.assert(
      fc.property(repeated, ([files, again]) => {
        const extra = files.length === 0 ? [] : again.map((i) => files[i % files.length] as Facts);
        expect(merged([...files, ...extra])).toEqual(merged(files));
      }),
    );
  });

  test("differs when a name or a count differs", () => {
    const file = parse("a.js", "a; b");
    const identifiers: [string, number][] = [
      ["a", 1],
      ["b", 2],
    ];
    expect(merged([file]).digest).not.toBe(merged([parse("a.js", "a; c")]).digest);
    expect(merged([file]).digest).not.toBe(merged([{ ...file, identifiers }]).digest);
  });

  test("counts the files that import a package, not the imports", () => {
    const files = [
      parse("a.js", 'import "p/a"; import "p/b"; import "fs"; require("node:fs")'),
      parse("b.js", 'import "p"; import "q"; import "constructor"'),
    ];
    expect(merged(files)).toMatchObject({
      topPackages: [
        ["p", 2],
        ["constructor", 1],
        ["q", 1],
      ],
      topBuiltins: [["node:fs", 1]],
    });
  });
});

const main = fileURLToPath(new URL("../../../examples/dist/code-atlas/main.js", import.meta.url));
const { INIT_CWD: _, ...environment } = process.env;

/** Runs the command; resolves whatever its exit code. */
async function start(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const run = promisify(execFile)(process.execPath, [main, ...args], {
    ...options,
    env: { ...environment, ...options.env },
  });
  const { code = 0, stdout, stderr } = await run.catch((error) => error);
  return { code, stdout: stdout as string, stderr: stderr as string };
}

const lastLine = (text: string) => JSON.parse(text.trimEnd().split("\n").at(-1) as string);

const sources = Object.fromEntries(
  Array.from({ length: 60 }, (_, i) => [
    `package-${i % 7}/file-${i}.${["js", "ts", "mjs", "cjs"][i % 4]}`,
    i === 13
      ? "const = 1"
      : `import { a${i} } from "package-${i % 5}";\n${`export function f${i}(x) { return x.y${i} + a${i}; }\n`.slice(0, 400)}`,
  ]),
);

describe("the command", () => {
  test.each<[string, string[], RegExp]>([
    ["a missing DIR", ["no/such/dir"], /no such directory: "no\/such\/dir"/],
    ["a file", [main], /not a directory/],
    ["an unknown option", ["--fast"], /unknown option '--fast'/i],
    ["a value for an option that has none", ["--single=1"], /'--single' does not take an argument/],
    ["two DIRs", [".", ".."], /more than one DIR/],
    ["no parsers", ["--parsers", "0"], /--parsers takes a whole number/],
    ["a missing number", ["--parsers"], /'--parsers <value>' argument missing/],
    ["another option in place of a number", ["--parsers", "--json"], /'--parsers' argument is ambiguous/],
    [
      "a number with a fraction",
      ["--heap-cap", "64.5"],
      /--heap-cap takes a whole number from 32 to 16384, not "64.5"/,
    ],
    ["a port that there is not", ["--observe=65536"], /--observe takes a whole number from 0 to 65535, not "65536"/],
    ["a page of no actors", ["--single", "--observe"], /--single has no actors that --observe could show/],
  ])("%s is one clear line and exit code 2", async (_, args, message) => {
    const { code, stdout, stderr } = await start(args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });

  test("a port in use is one clear line and exit code 2", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { code, stdout, stderr } = await start([tree(sources), `--observe=${port}`]);
    server.close();
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: `code-atlas: --observe: port ${port} is in use\n`,
    });
  });

  test("--help tells the options", async () => {
    const { code, stdout } = await start(["--help"]);
    expect(code).toBe(0);
    for (const flag of ["--single", "--no-faults", "--json", "--parsers"]) expect(stdout).toContain(flag);
  });

  test("--single --json prints one object, and claims no comparison", async () => {
    const { code, stdout } = await start([tree(sources), "--single", "--json"]);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n").length).toBe(1);
    const report = lastLine(stdout);
    expect(report).toMatchObject({ files: 60, parseErrors: 1, speedUp: 1, restarts: {}, identical: null });
    expect(report.seconds).toBe(report.singleSeconds);
    expect(report.digest).toMatch(/^[\da-f]{64}$/);
  });

  test("takes DIR with and without a leading --, relative to where the user is", async () => {
    const root = tree({ "sub/a.js": "let a" });
    const elsewhere = tree();
    const reports = await Promise.all([
      start(["sub", "--single", "--json"], { cwd: root }),
      start(["--", "sub", "--single", "--json"], { cwd: root }),
      start(["--", "sub", "--json", "--single"], { cwd: elsewhere, env: { INIT_CWD: root } }),
    ]);
    for (const { stdout } of reports) expect(lastLine(stdout).files).toBe(1);
  });

  test("an empty tree says so, and is an atlas of no files", async () => {
    const root = tree({ "a.txt": "" });
    const message = `code-atlas: no JavaScript or TypeScript files under "${root}"\n`;
    expect(await start([root])).toEqual({ code: 0, stdout: "", stderr: message });
    const { code, stdout, stderr } = await start([root, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: message });
    expect(lastLine(stdout)).toMatchObject({ files: 0, bytes: 0, restarts: {}, identical: true });
  });

  test.each([
    ["two parsers", 60, "2"],
    ["one parser takes all three", 60, "1"],
    ["three parsers", 60, "3"],
    ["a single file", 1, "2"],
  ])("every fault happens once and changes nothing: %s", async (_, files, parsers) => {
    const root = tree(Object.fromEntries(Object.entries(sources).slice(0, files)));
    const { code, stdout, stderr } = await start([root, "--json", "--parsers", parsers]);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("code-atlas:")]);
    const report = lastLine(stdout);
    expect(report).toMatchObject({
      files,
      faults: { leak: true, throw: true, exit: true },
      restarts: { heap_cap_exceeded: 1, error: 1, exit_called: 1 },
      identical: true,
    });
    const alone = await start([root, "--single", "--json"]);
    expect(lastLine(alone.stdout).digest).toBe(report.digest);
  });

  test("--no-faults restarts nobody", async () => {
    const { code, stdout } = await start([tree(sources), "--json", "--no-faults"]);
    expect(code).toBe(0);
    expect(lastLine(stdout)).toMatchObject({ files: 60, restarts: {}, identical: true });
  });

  test("tells a person the same", async () => {
    const { code, stdout } = await start([tree(sources)]);
    expect(code).toBe(0);
    for (const line of [/^files: +60, /m, /^speed-up: /m, /^restarts: .*heap_cap_exceeded 1/m, /^identical: +yes$/m]) {
      expect(stdout).toMatch(line);
    }
  });
});

describe("beside the speed-up", () => {
  const report = {
    dir: "",
    summary: { ...new Atlas().summarize(0) },
    seconds: 2,
    singleSeconds: 3,
    parsers: 2,
    plannedFaults: [],
    restarts: {},
    identical: true,
  };

  test("stands how much CPU time other programs took, when it was much", () => {
    expect(textReport({ ...report, others: 0.02 })).toMatch(/^speed-up: +1\.50 with 2 parsers$/m);
    expect(textReport({ ...report, others: 0.4 })).toMatch(
      /^speed-up: +1\.50 with 2 parsers; other programs took 40 % of the machine's CPU time/m,
    );
  });

  // In a process of its own each: what the test runner does beside would count as its own.
  const measure = async (body: string) => {
    const program = `
      import { spawn } from "node:child_process";
      import { once } from "node:events";
      import { cpus } from "node:os";
      import { Worker } from "node:worker_threads";
      const { watchOthers } = await import(${JSON.stringify(exampleUrl("cpu-time"))});
      const cores = cpus().length;
      const others = watchOthers();
      ${body}`;
    const args = ["--input-type=module", "--eval", program];
    return Number((await promisify(execFile)(process.execPath, args)).stdout);
  };

  test("the work of another process counts", async () => {
    const share = await measure(`
      const child = spawn(process.execPath, ["-e", "for (;;);"]);
      const deadline = performance.now() + 20_000;
      while (others() < 0.5 / cores && performance.now() < deadline) await once(new Worker("", { eval: true }), "exit");
      console.log(others() * cores);
      child.kill("SIGKILL");`);
    expect(share).toBeGreaterThanOrEqual(0.5);
  });

  test("the work of the process's own threads does not", async () => {
    const sum = await measure(`
      const started = performance.now();
      const busy = "const end = performance.now() + 1000; while (performance.now() < end);";
      await Promise.all(Array.from({ length: cores }, () => once(new Worker(busy, { eval: true }), "exit")));
      const { user, system } = process.cpuUsage();
      console.log(others() + (user + system) / 1000 / cores / (performance.now() - started));`);
    // Clock ticks are 10 ms, and the process has used some time before the first of them.
    expect(sum).toBeLessThan(1.3);
  });
});
