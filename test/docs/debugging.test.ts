import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 60_000 });

const run = promisify(execFile);
const program = (name: string): string => fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url));

test("a debugger of the process finds each actor by its path, and stops one while the others go on", async () => {
  const { stdout } = await run(process.execPath, [program("debugged")]);
  expect(JSON.parse(stdout)).toEqual({
    titles: [expect.stringMatching(/root\/adder$/), expect.stringMatching(/root\/other$/)],
    stopped: "add 3 42",
    reply: 3,
  });
});

test("with --enable-source-maps of main's, the stack of an actor that crashes names the lines of its source", async () => {
  const { stdout } = await run(process.execPath, ["--enable-source-maps", program("crashing")]);
  expect(stdout).toMatch(/at (?:Object\.)?crash \(.*adder\.actor\.ts:10:13\)/);
  expect((await run(process.execPath, [program("crashing")])).stdout).toMatch(/adder\.actor\.js:\d+:\d+/);
});
