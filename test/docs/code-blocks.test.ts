import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { afterAll, expect, test, vi } from "vitest";
import { type CodeBlock, codeBlocks } from "../support/code-blocks.js";
import { installFacade } from "../support/facade.js";

// The compiler and another vitest start, on a machine that may have other work.
vi.setConfig({ testTimeout: 180_000 });

const root = fileURLToPath(new URL("../../../", import.meta.url));
const pages = readdirSync(join(root, "docs"), { recursive: true })
  .map((path) => `docs/${String(path).replaceAll("\\", "/")}`)
  // The reference is made of declarations.
  .filter((path) => path.endsWith(".md") && !/^docs\/(?:api(?:\.md|\/)|node_modules)/.test(path))
  .sort();
// Recipes show programs that are compiled where they are.
const documents = ["README.md", ...pages.filter((path) => !path.startsWith("docs/recipes/"))];
const blocks = documents.flatMap(codeBlocks);

// Beneath the tests, so that the packages are found.
const folder = mkdtempSync(join(import.meta.dirname, "blocks-"));
installFacade(folder);
afterAll(() => rmSync(folder, { recursive: true }));

/** Each document is a program of its own: blocks that name their file import each other. */
function write({ document, line, language, file, code }: CodeBlock): string {
  const path = join(folder, document.replaceAll(/[/.]/g, "-"), file ?? `line-${line}.${language}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${code}\nexport {};\n`);
  return path;
}

const of = (...languages: string[]): CodeBlock[] => blocks.filter(({ language }) => languages.includes(language));

/** What the compiler says of the files in the folder that `include` names. */
function complaints(name: string, include: string, options: object): string[] {
  const config = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: { composite: false, noEmit: true, declarationMap: false, rootDir: root, ...options },
    include: [include, "names.d.ts"],
  };
  writeFileSync(join(folder, name), JSON.stringify(config));
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "lib/tsc.js");
  const args = [compiler, "-p", join(folder, name), "--pretty", "false"];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line !== "");
}

test("every block of TypeScript in the documentation compiles", () => {
  expect(of("ts").length).toBeGreaterThanOrEqual(15);
  for (const block of of("ts")) write(block);
  expect(complaints("tsconfig.json", "**/*ts", {})).toEqual([]);
});

test("every block of JavaScript in the documentation uses names and options that there are", () => {
  for (const block of of("js")) write(block);
  // What a block need not define, because every page speaks of it.
  const names = `
    declare const system: import("mini-otp").ActorSystem;
    declare const hasher: import("mini-otp").ActorRef;
    declare const ctx: import("mini-otp/actor").ActorContext<any>;`;
  writeFileSync(join(folder, "names.d.ts"), names);
  const found = complaints("jsconfig.json", "**/*.js", {
    allowJs: true,
    checkJs: true,
    strict: false,
    exactOptionalPropertyTypes: false,
  });
  // The compiler also reads the JavaScript of packages without types. TS2307: a bundler, which the page says to install.
  const ours = found.filter((line) => line.includes(`${basename(folder)}/`) && !/error TS(?:2307|7016):/.test(line));
  expect(ours).toEqual([]);
});

// The cluster's page says to install its package too.
test("the documentation imports what `npm install mini-otp` has installed, so that it works in a strict layout too", () => {
  const parts = ["README.md", ...pages]
    .flatMap(codeBlocks)
    .filter(({ code }) => /(?:from|import|require\() ?"@mini-otp\/(?!cluster)/.test(code));
  expect(parts.map(({ document, line }) => `${document}:${line}`)).toEqual([]);
});

test.each(of("js", "json").map((block) => [`${block.document}:${block.line}`, block] as const))(
  "%s is JavaScript that parses",
  (_place, { code, language }) => {
    expect(() => transformSync(code, { loader: language as "js" | "json", format: "esm" })).not.toThrow();
  },
);

test("the tests in docs/testing.md pass", () => {
  const paths = codeBlocks("docs/testing.md").map(write);
  const project = dirname(paths[0]);
  writeFileSync(join(project, "vitest.config.mjs"), "export default { test: { testTimeout: 60_000 } };\n");
  const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  const args = [vitest, "run", "--root", project, "--reporter", "json"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const report = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { numPassedTests: number; numFailedTests: number };
  expect({ failed: report.numFailedTests, stderr }).toMatchObject({ failed: 0 });
  expect(report.numPassedTests).toBe(15);
});

test("a language that nothing checks is not used", () => {
  expect(
    [...new Set(blocks.map(({ language }) => language))].filter(
      (l) => !["ts", "js", "json", "sh", "text", ""].includes(l),
    ),
  ).toEqual([]);
});
