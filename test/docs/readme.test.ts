import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { transformSync } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import { codeBlocks } from "../support/code-blocks.js";
import { installFacade } from "../support/facade.js";

const run = promisify(execFile);

test("the README's example runs as it stands there", async () => {
  // Inside the workspace, so that the packages are found by name.
  const folder = await mkdtemp(join(import.meta.dirname, "readme-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  installFacade(folder);
  const blocks = codeBlocks("README.md").filter(({ file }) => file !== undefined);
  expect(blocks.map(({ file }) => file)).toEqual(["hasher.actor.ts", "main.ts"]);
  // As a build leaves it: not every version of Node that is supported takes types away by itself.
  for (const { file, code } of blocks) {
    await writeFile(join(folder, String(file).replace(/ts$/, "js")), transformSync(code, { loader: "ts" }).code);
  }
  const { stdout } = await run(process.execPath, [join(folder, "main.js")]);
  const digest = "ecd26292b7f02970ca6909abb23e1aedd0dd57d0ee9ff40bf3f30c325e3e453a";
  expect(stdout.split("\n")).toEqual([digest, "EMPTY nothing to hash", "error", `${digest} from incarnation 2`, ""]);
});
