// Runs the tests of what is built on worker threads with every Node version, one after the other.
// Usage: node versions.js [--nodes 22,24] [word…], where a word is part of a test file's path, as vitest takes it.
import { spawnSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { MAJORS, nodeOf } from "./faults/node-versions.js";
import { CommandLine } from "./support/command-line.js";

/** The fault table has a command of its own, test:matrix. */
const FOLDERS = [
  "actor",
  "attacks",
  "calls",
  "comlink",
  "dev",
  "errors",
  "introspection",
  "loop",
  "mailbox",
  "messaging",
  "module",
  "pool",
  "prometheus",
  "refs",
  "reporting",
  "resource",
  "router",
  "signals",
  "system",
  "testing",
  "threads",
  "values",
];

const root = fileURLToPath(new URL("../../", import.meta.url));
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const line = new CommandLine("test:versions", { nodes: { type: "string" } }, { allowPositionals: true });
const majors = line.chosen("nodes", MAJORS);
const { positionals } = line;
const words = positionals.length > 0 ? positionals : FOLDERS.map((folder) => `test/dist/${folder}/`);

const failed = majors.filter((major) => {
  const node = nodeOf(major);
  console.log(`== Node ${major}`);
  // What the tests start by name is this version too.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  return spawnSync(node, [vitest, "run", ...words], { cwd: root, stdio: "inherit", env }).status !== 0;
});
console.log(failed.length === 0 ? `passed on Node ${majors.join(", ")}` : `FAILED on Node ${failed.join(", ")}`);
if (failed.length > 0) process.exitCode = 1;
