import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { MAJORS, nodeOf } from "../faults/node-versions.js";
import { ofPart } from "../support/part.js";
import { projectFolder } from "../support/project-folder.js";

// Programs start, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

const run = promisify(execFile);
const scenario = new URL("./programs/scenario.js", import.meta.url).href;
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));

/** CI has 25 minutes: there the oldest and the newest, and all of them in `test:versions`. */
const NODES = ofPart<readonly number[]>([20], [20, 26], MAJORS);

/** 1, 1 + 10, 11 + 110, the same code again, then a step of 1 100. */
const SAID = [1, 11, 121, true, 231, 1331];

function project() {
  const { path, url, write } = projectFolder();
  write("package.json", '{ "type": "module" }');
  const folder = `new URL("./", ${JSON.stringify(url("x").href)})`;
  const output = async (major: number, ...args: string[]): Promise<string> =>
    (await run(nodeOf(major), args, { cwd: path })).stdout;
  return { write, folder, output };
}

test.each(NODES)("Node %s puts saved TypeScript into the living actor", async (major) => {
  const { write, folder, output } = project();
  write("main.js", `import { scenario } from "${scenario}"; console.log(JSON.stringify(await scenario(${folder})));`);
  expect(JSON.parse(await output(major, "main.js"))).toEqual(SAID);
});

test.each(NODES)("so does a program that Node %s runs under tsx", async (major) => {
  const { write, folder, output } = project();
  write(
    "main.ts",
    `import { scenario } from "${scenario}"; const said: unknown[] = await scenario(${folder}); console.log(JSON.stringify(said));`,
  );
  expect(JSON.parse(await output(major, "--import", "tsx", "main.ts"))).toEqual(SAID);
});

test.each(NODES)("so does a test that runs under vitest on Node %s", async (major) => {
  const { write, folder, output } = project();
  write("vitest.config.mjs", 'export default { test: { include: ["*.vitest.ts"], testTimeout: 60_000 } };');
  write(
    "live.vitest.ts",
    `import { expect, test } from "vitest";
    import { scenario } from "${fileURLToPath(scenario)}";
    test("live", async () => { expect(await scenario(${folder})).toEqual(${JSON.stringify(SAID)}); });`,
  );
  const args = ["run", "--root", ".", "--config", "vitest.config.mjs", "--reporter", "json"];
  const { success, numPassedTests } = JSON.parse(await output(major, vitest, ...args)) as Record<string, unknown>;
  expect({ success, numPassedTests }).toEqual({ success: true, numPassedTests: 1 });
});
