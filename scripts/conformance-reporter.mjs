// Prints, after a run, which of Erlang/OTP's own test cases have a counterpart here, and whether it passed.
import { casesOf, OTP_CASES, SUITE_OF } from "./otp-cases.mjs";

const COLUMNS = 2;

export class ConformanceReporter {
  #print = console.log;

  onInit(vitest) {
    this.#print = (line) => vitest.logger.log(line);
  }

  onTestRunEnd(modules) {
    const tests = new Map();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        for (const name of casesOf(test.name)) tests.set(name, [...(tests.get(name) ?? []), test.result().state]);
      }
    }
    if (tests.size > 0) this.#print(conformanceTable(tests));
  }
}

/** The table; `tests` has the states of the tests by case name. */
export function conformanceTable(tests) {
  const run = [...tests].filter(([, states]) => states.some((state) => state !== "skipped"));
  const verdict = (states) => (states.includes("failed") ? "FAIL" : "pass");
  const failed = run.filter(([, states]) => verdict(states) === "FAIL");
  const lines = ["", `OTP conformance: ${run.length - failed.length} of ${run.length} cases pass`];
  for (const suite of [...Object.keys(OTP_CASES), "not a case of OTP's"]) {
    const own = run.filter(([name]) => (SUITE_OF.get(name) ?? "not a case of OTP's") === suite);
    if (own.length === 0) continue;
    own.sort(([a], [b]) => (a < b ? -1 : 1));
    const cells = own.map(
      ([name, states]) => `${verdict(states)} ${name}${states.length > 1 ? ` ×${states.length}` : ""}`,
    );
    lines.push(`  ${suite} (${own.length})`, ...inColumns(cells));
  }
  return [...lines, ""].join("\n");
}

/** Top to bottom, then left to right. */
function inColumns(cells) {
  const rows = Math.ceil(cells.length / COLUMNS);
  const width = Math.max(...cells.map(({ length }) => length)) + 2;
  return Array.from({ length: rows }, (_, row) => {
    const line = Array.from({ length: COLUMNS }, (_, column) => (cells[row + column * rows] ?? "").padEnd(width));
    return `    ${line.join("").trimEnd()}`;
  });
}
