import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { isActorError } from "@mini-otp/runtime";
import { expect, test, vi } from "vitest";
import { MAJORS, nodeOf } from "../faults/node-versions.js";
import { ofPart } from "../support/part.js";
import { testSystem } from "../support/system.js";

// Programs start, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

/** The highest, or all; and those that load TypeScript themselves. Everything else runs on the lowest. */
const NODES = ofPart<readonly number[]>([20], [26], MAJORS);
const NEWER = ofPart([26], [26], [22, 24, 26]);

const run = promisify(execFile);
const app = fileURLToPath(new URL("../../module/app/", import.meta.url));
const modules = fileURLToPath(new URL("../../node_modules/", import.meta.url));

const SAYS = "hello Ada\ngreeter.actor.ts:16\n";

async function output(major: number, ...args: string[]): Promise<string> {
  return (await run(nodeOf(major), args, { cwd: app })).stdout;
}

/** What is said on both streams when the actor has permissions, and none that is named. */
async function restricted(major: number, ...args: string[]): Promise<string> {
  const options = { cwd: app, env: { ...process.env, RESTRICTED: "yes" } };
  const { stdout, stderr } = await run(nodeOf(major), ["--no-warnings", ...args], options).catch((error) => error);
  return `${stdout}${stderr}`;
}

test.each(NODES)(
  // Promise: typescript-loaded-errors-name
  "Node %s loads an actor's TypeScript file by its own name, and errors name its lines",
  async (major) => {
    expect(await output(major, "main.mjs", "./greeter.actor.ts")).toBe(SAYS);
  },
);

test.each(NODES)("Node %s loads the TypeScript file when the URL says .js and there is none", async (major) => {
  expect(await output(major, "main.mjs", "./greeter.actor.js")).toBe(SAYS);
});

// Promise: typescript-loaded-errors-name
test.each(NODES)("a whole program in TypeScript runs under tsx on Node %s", async (major) => {
  expect(await output(major, "--import", "tsx", "main.ts")).toBe("hello, hello Ada\nmoody.actor.ts:15\n");
});

// Promise: typescript-loaded-errors-name
test.each(NODES)("an actor's TypeScript file loads under vitest on Node %s", async (major) => {
  const vitest = join(modules, "vitest/vitest.mjs");
  const args = ["run", "--root", ".", "--config", "vitest.config.mjs", "--reporter", "json"];
  const { success, numPassedTests } = JSON.parse(await output(major, vitest, ...args)) as Record<string, unknown>;
  expect({ success, numPassedTests }).toEqual({ success: true, numPassedTests: 1 });
});

test.each(NEWER)("Node %s says what to do about TypeScript that is more than types", async (major) => {
  const error = await output(major, "main.mjs", "./moody.actor.ts").catch(({ stderr }: { stderr: string }) => stderr);
  expect(error).toMatch(/ERR_ACTOR_MODULE|moody\.actor\.ts failed to load/);
  expect(error).toContain("start the program with tsx");
});

test.each(NEWER)(
  "Node %s loads an actor's TypeScript file under permissions, also in a program that runs under tsx",
  async (major) => {
    expect(await restricted(major, "main.mjs", "./greeter.actor.js")).toBe(SAYS);
    expect(await restricted(major, "--import", "tsx", "main.mjs", "./greeter.actor.ts")).toBe(SAYS);
  },
);

test.each(NEWER)(
  "Node %s says that TypeScript which is more than types has to be built for an actor with permissions",
  async (major) => {
    const said = await restricted(major, "--import", "tsx", "main.mjs", "./moody.actor.ts");
    expect(said).toMatch(/ERR_ACTOR_MODULE|moody\.actor\.ts failed to load/);
    expect(said).toContain("has to be built");
  },
);

test("Node 20, where tsx loads TypeScript, says that an actor with permissions has to be built", async () => {
  const said = await restricted(20, "main.mjs", "./greeter.actor.ts");
  expect(said).toMatch(/greeter\.actor\.ts failed to load/);
  expect(said).toContain("build it to JavaScript");
});

// Promise: actor-s-module-file
test("the file that was asked for comes before its sibling", async () => {
  const system = await testSystem();
  // Built, both are there: dist has the JavaScript that was made of this TypeScript.
  const built = new URL("./app/greeter.actor.js", import.meta.url);
  const greeter = await system.startChild({ id: "greeter", actor: built });
  const { reason } = await greeter.call("fail").catch((error: any) => error);
  expect(reason.error.stack).toContain("greeter.actor.js");
});

// Promise: actor-s-module-file
test("a TypeScript URL is answered by the JavaScript it was built to, where there is only that", async () => {
  const system = await testSystem();
  const actor = new URL("./app/greeter.actor.js", import.meta.url);
  const greeter = await system.startChild({ id: "greeter", actor });
  expect(await greeter.call("greet", "Ada")).toBe("hello Ada");
});

// Promise: module-there-err-actor-module-file
test("a module that is not there is ERR_ACTOR_MODULE, with every file that was tried", async () => {
  const system = await testSystem();
  const actor = new URL("./nowhere.actor.js", pathToFileURL(app));
  const error = await system.startChild({ id: "a", actor }).catch((e: unknown) => e);
  expect(isActorError(error, "ERR_ACTOR_MODULE") && error.message).toMatch(
    /tried .*nowhere\.actor\.js, .*nowhere\.actor\.ts/,
  );
});
