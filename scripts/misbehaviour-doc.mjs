// Writes the README's table of faults from bench/results/misbehaviour.json, which `pnpm bench:misbehaviour -- --record` writes.
// Usage: node scripts/misbehaviour-doc.mjs && pnpm format
import { readFileSync, writeFileSync } from "node:fs";
import { replaceBlock } from "./written-pages.mjs";

const file = (path) => new URL(`../${path}`, import.meta.url);
const { outcomes } = JSON.parse(readFileSync(file("bench/results/misbehaviour.json"), "utf8"));

const LIBRARIES = ["mini-otp", "piscina", "tinypool", "workerpool", "comlink"];
const FAULTS = {
  map: "a `Map` that grows without end",
  loop: "an endless loop",
  exit: "`process.exit(1)`",
  rejection: "a rejection that nothing catches",
};

/** The result of one run, in words. */
function inWords({ fault, caller, next, died }) {
  if (died !== undefined) return `the process dies (${died})`;
  if (caller === "never settles")
    return next === "resolves" ? "the call never settles" : "the call never settles, and the thread is lost";
  const exit = /exited before it replied: (\w+)/.exec(caller)?.[1];
  if (exit !== undefined) return `the call fails (\`${exit}\`), the actor is restarted`;
  const byTime = fault !== "loop" && /aborted|timed out/.test(caller);
  return byTime ? "the call fails when its time is over" : "the call fails, a new thread takes its place";
}

/** All runs of a library and a fault: each result with its count, where they differ. */
function cell(library, fault) {
  const runs = outcomes.filter((outcome) => outcome.library === library && outcome.fault === fault);
  const counts = new Map();
  for (const words of runs.map(inWords)) counts.set(words, (counts.get(words) ?? 0) + 1);
  const most = [...counts].sort(([, a], [, b]) => b - a);
  if (most.length === 1) return most[0][0];
  return most.map(([words, count]) => `${words}: ${count} of ${runs.length}`).join("; ");
}

const nodes = [...new Set(outcomes.map(({ node }) => node))].sort().join(", ");
const table = [
  `| on Node ${nodes} | ${LIBRARIES.join(" | ")} |`,
  `| --- | ${LIBRARIES.map(() => "---").join(" | ")} |`,
  ...Object.entries(FAULTS).map(
    ([fault, words]) => `| ${[words, ...LIBRARIES.map((l) => cell(l, fault))].join(" | ")} |`,
  ),
].join("\n");

const readme = readFileSync(file("README.md"), "utf8");
writeFileSync(file("README.md"), replaceBlock(readme, "misbehaviour", table));
