import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import webpack from "webpack";
import { MAJORS, nodeOf } from "../faults/node-versions.js";
import { codeBlocks } from "../support/code-blocks.js";
import { installFacade } from "../support/facade.js";

// A bundler starts, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

const run = promisify(execFile);
const digest = "ecd26292b7f02970ca6909abb23e1aedd0dd57d0ee9ff40bf3f30c325e3e453a";

/** The files of docs/bundling.md, in a folder from which the packages are found. */
async function application(): Promise<string> {
  const folder = await mkdtemp(join(import.meta.dirname, "application-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "src"));
  installFacade(folder);
  for (const { file, code } of codeBlocks("docs/bundling.md")) {
    if (file !== undefined) await writeFile(join(folder, file), code);
  }
  return folder;
}

/** Runs what was bundled, in the absence of what it was made of. */
async function runBundle(folder: string, out: string): Promise<string> {
  await rm(join(folder, "src"), { recursive: true });
  return (await run(process.execPath, [join(folder, out, "main.js")])).stdout;
}

const SAYS = `${digest}\nerror\nincarnation 2\n`;

test("the application runs when it is bundled with esbuild, as the recipe says", async () => {
  const folder = await application();
  await run(process.execPath, ["build.mjs"], { cwd: folder });
  expect(await runBundle(folder, "out")).toBe(SAYS);
});

describe("with the packages inside the bundle", () => {
  /** What the recipe makes, where nothing is installed. */
  async function bundleAlone(): Promise<string> {
    const folder = await application();
    await run(process.execPath, ["build-all.mjs"], { cwd: folder });
    const alone = await mkdtemp(join(tmpdir(), "bundle-"));
    onTestFinished(() => rm(alone, { recursive: true }));
    await cp(join(folder, "out"), alone, { recursive: true });
    return alone;
  }

  test.each(MAJORS)("the application runs without node_modules on Node %s, as the recipe says", async (major) => {
    const alone = await bundleAlone();
    expect((await run(nodeOf(major), [join(alone, "main.js")])).stdout).toBe(SAYS);
  });

  test("an actor has its permissions there too", async () => {
    const alone = await bundleAlone();
    const main = join(alone, "main.js");
    const text = await readFile(main, "utf8");
    const restricted = text.replace("args: { rounds: 3 }", "args: { rounds: 3 }, permissions: {}");
    expect(restricted).not.toBe(text);
    await writeFile(main, restricted);
    expect((await run(process.execPath, ["--no-warnings", main])).stdout).toBe(SAYS);
  });

  test("without the files that threads start from the error says where they were looked for", async () => {
    const alone = await bundleAlone();
    await rm(join(alone, "mini-otp-thread"), { recursive: true });
    const { stderr } = await run(process.execPath, [join(alone, "main.js")]).catch((error) => error);
    expect(stderr).toContain("ERR_ACTOR_MODULE");
    expect(stderr).toMatch(/tried .*\/mini-otp-thread\/worker-main\.cjs; .*docs\/bundling\.md/);
  });
});

test("the application runs when it is bundled with Vite, as the recipe says", async () => {
  const folder = await application();
  const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin/vite.js");
  await run(process.execPath, [vite, "build", "--logLevel", "warn"], { cwd: folder });
  expect(await runBundle(folder, "out")).toBe(SAYS);
});

test("the application runs when it is bundled with webpack, as the recipe says", async () => {
  const folder = await application();
  // The recipe is for JavaScript.
  const sources = ["main", "hasher.actor", "digest"].map((name) => join(folder, "src", `${name}.ts`));
  await esbuild.build({ entryPoints: sources, outdir: join(folder, "src"), format: "esm", target: "node20" });
  const { default: config } = (await import(pathToFileURL(join(folder, "webpack.config.mjs")).href)) as {
    default: webpack.Configuration;
  };
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
    webpack(
      { ...config, context: folder, output: { ...config.output, path: join(folder, "dist") } },
      (error, result) => (error === null ? resolve(result) : reject(error)),
    );
  });
  expect(stats?.toJson({ all: false, errors: true, warnings: true })).toMatchObject({ errors: [], warnings: [] });
  expect(await runBundle(folder, "dist")).toBe(SAYS);
});
