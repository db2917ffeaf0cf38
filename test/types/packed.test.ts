import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, expect, test, vi } from "vitest";

const run = promisify(execFile);

const folder = await mkdtemp(join(tmpdir(), "packed-"));
afterAll(() => rm(folder, { recursive: true }));
const packed = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

/** The package as it would be published. */
function pack(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const tarball = packed.get(name) ?? packWithNpm(name);
  packed.set(name, tarball);
  return tarball;
}

async function packWithNpm(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const cwd = fileURLToPath(new URL(`../../../packages/${name}/`, import.meta.url));
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return new Uint8Array(await readFile(join(folder, filename)));
}

// npm and two checkers, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

/** The packages are ES modules only, so resolutions that know none of those are not looked at. */
const NOT_FOR_ESM_ONLY = new Set(["node10", "node16-cjs"]);

test.each(["worker-host", "runtime", "metrics", "cluster", "mini-otp"])(
  "%s as it is packed passes publint",
  async (name) => {
    const tarball = await pack(name);
    const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  },
);

test.each(["worker-host", "runtime", "metrics", "cluster", "mini-otp"])(
  "the types of %s as it is packed are right",
  async (name) => {
    const result = await checkPackage(createPackageFromTarballData(await pack(name)));
    if (result.types === false) throw new Error(`${name} is packed without types`);
    expect(
      result.problems.filter(
        (problem) => !("resolutionKind" in problem) || !NOT_FOR_ESM_ONLY.has(problem.resolutionKind),
      ),
    ).toEqual([]);
    expect(Object.keys(result.entrypoints).length).toBeGreaterThan(0);
  },
);
