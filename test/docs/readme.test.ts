import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const run = promisify(execFile);
const root = new URL("../../../", import.meta.url);

test("the README's example runs as it stands there", async () => {
  const readme = await readFile(new URL("README.md", root), "utf8");
  // Inside the workspace, so that the packages are found by name.
  const folder = await mkdtemp(join(import.meta.dirname, "readme-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const blocks = [...readme.matchAll(/```js\n\/\/ (\S+\.mjs)[^\n]*\n(.*?)```/gs)];
  expect(blocks.map(([, name]) => name)).toEqual(["hasher.actor.mjs", "main.mjs"]);
  for (const [block, name] of blocks) await writeFile(join(folder, name), block.replace(/^```js\n|```$/g, ""));
  const { stdout } = await run(process.execPath, [join(folder, "main.mjs")]);
  const digest = "ecd26292b7f02970ca6909abb23e1aedd0dd57d0ee9ff40bf3f30c325e3e453a";
  expect(stdout).toBe(`${digest}\nERR_CALL_EXIT error\nincarnation 2 ${digest}\n`);
});
