// `pnpm test`, `pnpm test:long` and `pnpm test:full`: builds, checks, tests, and says at the end what came of each.
// Usage: node scripts/run-tests.mjs [--long | --full] [what vitest takes…]
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installTools } from "./tools.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
const [major] = process.versions.node.split(".");
/**
 * The other Nodes of the version matrix, and what of the tests runs on them: the faults on each, and on the highest what else depends
 * on V8 and on Node's threads. Only files of `test`. All of CI has 25 minutes. `test:versions` runs every test of what runs in threads.
 */
const OTHERS = ["20", "22", "24", "26"].filter((other) => other !== major);
const HIGHEST = OTHERS.slice(-1);
const FAULTS = ["test/dist/faults/", "test/dist/pool/lingering-exits.test.js"];
const POOL = ["recycle", "streams"].map((name) => `test/dist/pool/${name}.test.js`);
const ON_HIGHEST = [...FAULTS, "actor/restart", ...POOL, "test/dist/threads/", "test/dist/values/"];

// pnpm hands on a `--` that stands before the arguments.
const given = process.argv.slice(2).filter((arg) => arg !== "--");
const part = given.includes("--full") ? "full" : given.includes("--long") ? "long" : "short";
const forVitest = given.filter((arg) => arg !== "--long" && arg !== "--full");
const scratch = mkdtempSync(join(tmpdir(), "mini-otp-tests-"));
/** A run of all tests in full, also for what is started here and is no part of it. */
const { TEST_PART: _, TEST_SUMMARY: __, ...plainEnv } = process.env;
const env = {
  ...plainEnv,
  TEST_SUMMARY: join(scratch, "summary.json"),
  ...(part === "full" ? {} : { TEST_PART: part }),
};

const bin = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file);
const vitest = ["tests", [bin("vitest", "vitest.mjs"), "run", ...forVitest], { isVitest: true, env }];
const build = [
  ["build", [bin("typescript", "bin/tsc"), "-b"], { isNeeded: true }],
  ["build of the threads' code", ["scripts/bundle-thread.mjs"], { isNeeded: true }],
];
const checks = [
  ["lint", [bin("@biomejs/biome", "bin/biome"), "lint", "--diagnostic-level=error"]],
  ["boundaries", ["scripts/check-boundaries.mjs"]],
  ["drawing of the rooms", ["scripts/draw-rooms.mjs", "--check"]],
];
const onOthers = (nodes, words, more = {}) => [
  `Node ${nodes}`,
  ["test/dist/versions.js", "--nodes", nodes.join(), ...words],
  { env: { ...plainEnv, ...more } },
];
const steps = {
  short: [...build, ...checks, vitest],
  long: [
    ...build,
    vitest,
    onOthers(OTHERS.slice(0, -1), FAULTS, { TEST_PART: "short" }),
    onOthers(HIGHEST, ON_HIGHEST, { TEST_PART: "short" }),
  ],
  full: [...build, ...checks, vitest, onOthers(OTHERS, [])],
}[part];

const missing = installTools();
const lines = [];
let failed = 0;
for (const [name, args, { isVitest = false, isNeeded = false, env: stepEnv = plainEnv } = {}] of steps) {
  const startedMs = performance.now();
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env: stepEnv });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  if (status !== 0) failed++;
  lines.push(`${status === 0 ? "pass" : "FAIL"}  ${name}${isVitest ? `: ${counts()}` : ""}, ${seconds} s`);
  if (isVitest) lines.push(...details());
  if (status !== 0 && isNeeded) break;
}
console.log(`\n${part === "short" ? "test" : `test:${part}`}, Node ${process.versions.node}`);
for (const line of lines) console.log(`  ${line}`);
if (missing.length > 0 && process.env.CI) console.log("  with CI set a test whose tool is missing fails");
if (part === "short")
  console.log("  the rest is `npx -y pnpm@12.21.0 test:long`: kill points, attacks, fault rounds, other Nodes");
rmSync(scratch, { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;

function summary() {
  const none = { passed: 0, failed: [], skipped: [] };
  return existsSync(env.TEST_SUMMARY) ? JSON.parse(readFileSync(env.TEST_SUMMARY, "utf8")) : none;
}

function counts() {
  const { passed, failed, skipped } = summary();
  return `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;
}

/** The tests that failed, and those that were skipped, below what would let them run. */
function details() {
  const { failed, skipped } = summary();
  const notes = [...new Set(skipped.map(({ note }) => note))];
  return [
    ...failed.map((name) => `      failed: ${name}`),
    ...notes.flatMap((note) => {
      const names = skipped.filter((test) => test.note === note).map(({ name }) => `        ${name}`);
      return [`      skipped, ${note}`, ...names];
    }),
  ];
}
