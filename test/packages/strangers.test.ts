import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { codeBlocks } from "../support/code-blocks.js";

// npm, a compiler and a test runner start, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const execute = promisify(execFile);
const packages = fileURLToPath(new URL("../../../packages/", import.meta.url));
const require = createRequire(import.meta.url);
/** What a stranger has installed for development; linked, so that the test downloads no compiler. */
const DEVELOPMENT = ["typescript", "vitest", "@types/node"];
const README = codeBlocks("packages/mini-otp/README.md").filter(({ file }) => file !== undefined);

let folder: string;
let installed: { readonly stdout: string; readonly stderr: string };

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(file: string, args: readonly string[]): Promise<Ran> {
  // What this run says of itself is not for others: npm's settings, vitest's mode, pnpm's NODE_PATH.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|pnpm_|VITEST|NODE_|CI$)/i.test(name)),
  );
  const ran = execute(file, args, { cwd: folder, env: { ...env, NO_COLOR: "1" }, shell: file === "npm" && isWindows });
  return ran.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}
const isWindows = process.platform === "win32";
const node = (...args: string[]): Promise<Ran> => run(process.execPath, args);

/** The packages as they would be published: pnpm writes the versions that stand for `workspace:` and `catalog:`. */
async function pack(name: string): Promise<[name: string, tarball: string]> {
  const cwd = join(packages, name);
  const args = ["pack", "--json", "--pack-destination", folder];
  const { npm_execpath: runner = "" } = process.env;
  // Started by pnpm, its very file; otherwise the one of the README.
  const [file, ...before] = /pnpm\.[cm]?js$/.test(runner) ? [process.execPath, runner] : ["npx", "-y", "pnpm@12.21.0"];
  const { stdout } = await execute(file, [...before, ...args], { cwd, shell: file === "npx" && isWindows });
  const { name: packed, filename } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as Record<string, string>;
  return [packed, `file:${filename}`];
}

async function write(files: Record<string, string>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stranger-"));
  const tarballs = Object.fromEntries(await Promise.all((await readdir(packages)).map(pack)));
  const { "mini-otp": facade, ...parts } = tarballs;
  // Those that are not published yet come from their tarballs too.
  await write({
    "package.json": JSON.stringify({ private: true, dependencies: { "mini-otp": facade }, overrides: parts }),
  });
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier"];
  const { code, ...output } = await run("npm", ["install", ...flags]);
  if (code !== 0) throw new Error(`npm install ends with ${code}: ${output.stderr}`);
  installed = output;
  for (const name of DEVELOPMENT) {
    await mkdir(dirname(join(folder, "node_modules", name)), { recursive: true });
    const from = dirname(require.resolve(`${name}/package.json`));
    await symlink(from, join(folder, "node_modules", name), "junction");
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("npm installs mini-otp without a warning, without an install script and without a package that is optional", async () => {
  expect(installed.stderr).toBe("");
  const names = await readdir(join(folder, "node_modules"));
  expect(names).toEqual(expect.arrayContaining(["mini-otp", "@mini-otp", "pino"]));
  for (const name of ["comlink", "msgpackr", "msgpackr-extract", "tsx"]) expect(names).not.toContain(name);
});

describe("an application that has installed mini-otp", () => {
  test("runs as ES modules: the README of the package", async () => {
    await write(Object.fromEntries(README.map(({ file, code }) => [`esm/${file}`, code])));
    expect(await node("esm/main.mjs")).toEqual({ code: 0, stdout: "2\nERR_CALL_EXIT\n3\n", stderr: "" });
  });

  test("runs as CommonJS, its actors too", async () => {
    await write({
      "cjs/counter.actor.cjs": `
        const { defineActor } = require("mini-otp/actor");
        module.exports = defineActor({
          init: () => ({ count: 0 }),
          handlers: { add: (ctx, n) => (ctx.state.count += n) },
        });`,
      "cjs/main.cjs": `
        const { join } = require("node:path");
        const { isActorError, startSystem } = require("mini-otp");
        const { registerMetrics } = require("mini-otp/metrics");
        (async () => {
          const system = await startSystem({ logger: false });
          const counter = await system.startChild({ id: "counter", actor: join(__dirname, "counter.actor.cjs") });
          console.log(await counter.call("add", 2));
          await counter.call("subtract", 2).catch((error) => console.log(isActorError(error), error.code));
          const { registry } = registerMetrics(system);
          console.log((await registry.metrics()).includes("mini_otp_"));
          await system.stop();
        })();`,
    });
    const { code, stdout, stderr } = await node("cjs/main.cjs");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "2\ntrue ERR_UNKNOWN_METHOD\ntrue\n" });
    // Node 20 and 22 call \`require\` of an ES module an experiment where the requiring file is no dependency.
    expect(
      stderr.replaceAll(
        /^.*(?:ExperimentalWarning: CommonJS module .* is loading ES Module|--trace-warnings).*\n/gm,
        "",
      ),
    ).toBe("");
  });

  test("compiles as strict TypeScript with the libraries' own types checked, and runs", async () => {
    await write({
      "ts/tsconfig.json": JSON.stringify({
        compilerOptions: {
          ...{ target: "es2023", module: "nodenext", outDir: "dist", rootDir: ".", types: [] },
          ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
        },
      }),
      "ts/package.json": '{ "type": "module" }',
      "ts/counter.actor.ts": `
        import { defineActor } from "mini-otp/actor";
        export default defineActor({
          init: (args: { from: number }) => ({ count: args.from }),
          handlers: { add: (ctx, n: number) => (ctx.state.count += n) },
        });`,
      "ts/main.ts": `
        import { type ActorRef, type ChildSpec, isActorError, startSystem } from "mini-otp";
        import { registerMetrics } from "mini-otp/metrics";
        import { type Probe, probe } from "mini-otp/testing";
        import type Counter from "./counter.actor.js";
        const system = await startSystem({ logger: false });
        const actor = new URL("./counter.actor.js", import.meta.url);
        const counter: ActorRef<typeof Counter> =
          await system.startChild<typeof Counter>({ id: "counter", actor, args: { from: 1 } });
        const sum: number = await counter.call("add", 2);
        console.log(sum);
        // @ts-expect-error: it has no such method
        await counter.call("subtract", 2).catch((error: unknown) => console.log(isActorError(error)));
        const capped = (heapCapMb: number) =>
          // @ts-expect-error: an option that does not exist, without "node" in the types that the project names
          system.startChild<typeof Counter>({ id: "b", actor, args: { from: 1 }, heapCapMB: heapCapMb });
        // @ts-expect-error: it adds numbers
        const wrong = () => counter.call("add", "2");
        registerMetrics(system).unregister();
        export type { ChildSpec, Probe };
        export { capped, probe, wrong };
        await system.stop();`,
    });
    const compiled = await node("node_modules/typescript/bin/tsc", "-p", "ts");
    expect(compiled).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await node("ts/dist/main.js")).toEqual({ code: 0, stdout: "3\ntrue\n", stderr: "" });
  });

  test("loads actors in TypeScript by the tsx that runs it, which may be installed elsewhere", async () => {
    await write({
      "tsx/package.json": '{ "type": "module" }',
      "tsx/counter.actor.ts": `
        import { defineActor } from "mini-otp/actor";
        enum Step { One = 1 }
        export default defineActor({ handlers: { next: (_ctx, n: number) => n + Step.One } });`,
      "tsx/main.ts": `
        import { startSystem } from "mini-otp";
        const system = await startSystem({ logger: false });
        const actor = new URL("./counter.actor.js", import.meta.url);
        const counter = await system.startChild({ id: "counter", actor });
        console.log(await counter.call("next", 2));
        await system.stop();`,
    });
    const cli = require.resolve("tsx/cli");
    const loader = pathToFileURL(require.resolve("tsx")).href;
    const works = { code: 0, stdout: "3\n", stderr: "" };
    expect(await node(cli, "tsx/main.ts")).toEqual(works);
    expect(await node("--import", loader, "tsx/main.ts")).toEqual(works);
    expect(await node(`--import=${loader}`, "tsx/main.ts")).toEqual(works);
  });

  test("tests its actors with vitest, on the calling thread and in threads of their own", async () => {
    await write({
      "vitest/counter.actor.mjs": README.find(({ file }) => file === "counter.actor.mjs")?.code ?? "",
      "vitest/counter.test.js": `
        import { runInline, startTestSystem } from "mini-otp/testing";
        import { expect, test } from "vitest";
        import Counter from "./counter.actor.mjs";
        test("adds on this thread", async () => {
          const counter = await runInline(Counter);
          expect(await counter.call("add", 2)).toBe(2);
        });
        test("adds in a thread of its own, and forgets when it crashes", async () => {
          const system = await startTestSystem();
          const actor = new URL("./counter.actor.mjs", import.meta.url);
          const counter = await system.startChild({ id: "counter", actor });
          expect(await counter.call("add", 2)).toBe(2);
          await expect(counter.call("crash")).rejects.toMatchObject({ code: "ERR_CALL_EXIT" });
          expect(await counter.call("add", 3)).toBe(3);
          await system.stop();
        });`,
    });
    const { code, stdout, stderr } = await node("node_modules/vitest/vitest.mjs", "run", "--root", "vitest");
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/Tests +2 passed/);
  });

  test("calls the methods of a proxy without comlink, and is told to install it for the rest", async () => {
    await write({
      "comlink/main.mjs": `
        import { startSystem } from "mini-otp";
        const system = await startSystem({ logger: false });
        const actor = new URL("../esm/counter.actor.mjs", import.meta.url);
        const remote = (await system.startChild({ id: "counter", actor })).proxy();
        console.log(await remote.add(2));
        try {
          await remote.state.count;
        } catch (error) {
          console.log(error.message);
        }
        await system.stop();`,
      ...Object.fromEntries(README.map(({ file, code }) => [`esm/${file}`, code])),
    });
    expect(await node("comlink/main.mjs")).toEqual({
      code: 0,
      stdout: "2\ncomlink is not installed, and this needs it: npm install comlink\n",
      stderr: "",
    });
  });
});
