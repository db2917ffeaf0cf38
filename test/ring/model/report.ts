/*
 * Prints what the searches prove, and the counterexample of each broken protocol:
 *
 *   node test/dist/concurrency/model/report.js [--large]
 */
import { BROKEN_CASES, brokenScenario, CASES, LARGE_CASES } from "./cases.js";
import { RingModel } from "./ring-model.js";
import { formatTrace, search, type Verdict } from "./search.js";

function size({ states, transitions, ms }: Verdict): string {
  return `${states.toLocaleString("en")} states, ${transitions.toLocaleString("en")} transitions, ${(ms / 1000).toFixed(1)} s`;
}

for (const { claim, scenario, options } of process.argv.includes("--large") ? LARGE_CASES : CASES) {
  const verdict = search(new RingModel(scenario), options);
  console.log(`${verdict.violation === undefined ? "holds" : "FAILS"}  ${claim}\n       ${size(verdict)}`);
  if (verdict.violation !== undefined) {
    process.exitCode = 1;
    console.log(formatTrace(verdict));
  }
}

for (const broken of process.argv.includes("--large") ? [] : BROKEN_CASES) {
  const verdict = search(new RingModel(brokenScenario(broken)));
  const found = verdict.violation === broken.finds;
  console.log(`\n${found ? "found" : "NOT FOUND"}  ${broken.claim}\n       ${size(verdict)}\n${formatTrace(verdict)}`);
  if (!found) process.exitCode = 1;
}
