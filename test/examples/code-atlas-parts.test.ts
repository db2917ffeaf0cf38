import { execFile } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { example, exampleUrl, type Facts, parse, tree } from "./code-atlas.js";

const { readFacts } = await example("parse-file");
const { readTree, batchesOf } = await example("source-tree");
const { Atlas, moduleOf } = await example("atlas");
const { faultsOf } = await example("faults");
const { textReport } = await example("report");

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
