import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { startProgram } from "../support/program.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const script = (name: string) => join(root, "scripts", name);
const { ALONE, filesOfPart, FULL, LONG, SCALED } = await import(pathToFileURL(script("test-parts.mjs")).href);
const { TOOLS } = await import(pathToFileURL(script("tools.mjs")).href);
const text = (file: string) => readFileSync(join(root, file), "utf8");

/** As `ring/fuzz`. */
const names = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".test.ts") && !/^(?:dist|node_modules|.*\/node_modules)\//.test(file))
  .map((file) => file.replace(/\.test\.ts$/, ""));

describe("test and test:long", () => {
  const [short, long]: string[][] = [filesOfPart(names, "short"), filesOfPart(names, "long")];

  test("run every test file between them but those of test:full, and twice only those that the first runs in less time", () => {
    expect(names.length).toBeGreaterThan(100);
    expect([...new Set([...short, ...long, ...FULL])].sort()).toEqual([...names].sort());
    expect([...short, ...long].filter((name) => FULL.includes(name))).toEqual([]);
    expect(FULL.length).toBeLessThan(10);
    expect(short.filter((name) => long.includes(name)).sort()).toEqual([...SCALED].sort());
    expect(filesOfPart(names, undefined)).toEqual(names);
  });

  test("name no file that is not there", () => {
    const isThere = (name: string) =>
      names.some((file) => (name.endsWith("/") ? file.startsWith(name) : file === name));
    expect([...LONG, ...FULL, ...SCALED, ...ALONE].filter((name) => !isThere(name))).toEqual([]);
  });

  test("differ for a file that runs in both", () => {
    // KINDS is of each part, too.
    for (const name of SCALED) expect(text(`test/${name}.test.ts`)).toMatch(/\bofPart\(|describe\.each\(KINDS\)/);
  });

  test("are both what CI runs", () => {
    const scripts = JSON.parse(text("package.json")).scripts;
    expect([scripts.test, scripts["test:long"]]).toEqual([
      "node scripts/run-tests.mjs",
      "node scripts/run-tests.mjs --long",
    ]);
    for (const command of ["test", "test:long"]) expect(text(".ci/run")).toContain(`"\${pnpm[@]}" ${command} `);
    expect(text("README.md")).toContain("npx -y pnpm@12.21.0 test ");
  });
});

describe("on a machine that has Node and nothing else", () => {
  const machine = (env: NodeJS.ProcessEnv) => ({ PATH: "", CHROMIUM_PATH: "", PROGRAMFILES: "", ...env });

  test("the tools that are missing are named, with the line that installs them", async () => {
    const { code, errors } = await startProgram(script("tools.mjs"), [], machine({})).ended;
    // What is found without PATH is not missing.
    const missing = Object.keys(TOOLS).filter((name) => errors.includes(name));
    expect(missing).toEqual(expect.arrayContaining(["promtool"]));
    expect(errors).toMatch(/^missing: .*promtool.*; .*\b(?:apt-get|brew|choco) install .*\bprometheus\b.*\n$/);
    expect(code).toBe(1);
  });

  test("a test that needs one is skipped, by name in the summary, and fails in CI", async () => {
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const args = ["run", "--root", root, "test/dist/prometheus/metrics.test.js", "-t", "promtool refuses"];
    const [skipped, failed] = await Promise.all(
      ["", "true"].map((CI) => startProgram(vitest, args, machine({ CI, VITEST: "", TEST_PART: "" })).ended),
    );
    expect(skipped.code, skipped.output + skipped.errors).toBe(0);
    // The one, for its tool, and the others of its file, which were not asked for.
    expect(skipped.output).toMatch(/\((\d+) tests \| \1 skipped\)/);
    expect(failed.code).toBe(1);
    expect(failed.errors).toMatch(/no promtool: .*install .*prometheus/);
  });
});
