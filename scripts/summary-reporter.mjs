// Writes what a run of vitest came to into the file that TEST_SUMMARY names: for run-tests.mjs.
import { writeFileSync } from "node:fs";

export class SummaryReporter {
  onTestRunEnd(modules, errors) {
    const { TEST_SUMMARY: file } = process.env;
    if (file === undefined) return;
    const summary = { passed: 0, failed: [], skipped: [] };
    for (const module of modules) {
      const where = module.relativeModuleId.replace(/^test\/dist\/(.*)\.test\.js$/, "$1");
      for (const error of module.errors()) summary.failed.push(`${where}: ${words([error])}`);
      for (const suite of module.children.allSuites())
        for (const error of suite.errors()) summary.failed.push(`${where} > ${suite.fullName}: ${words([error])}`);
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        if (state === "passed") summary.passed++;
        // A test that a word of the command line left out has no note.
        else if (state === "skipped") {
          if (note !== undefined) summary.skipped.push({ name: `${where} > ${test.fullName}`, note });
        } else summary.failed.push(`${where} > ${test.fullName}: ${words(test.result().errors)}`);
      }
    }
    for (const error of errors) summary.failed.push(`outside of any test: ${words([error])}`);
    writeFileSync(file, JSON.stringify(summary));
  }
}

/** Each error's first line, with its causes': a test process that died tells its exit code or signal only there. */
function words(errors = []) {
  return errors.map((error) => causes(error).join(", because: ")).join("; ");
}

function causes(error) {
  if (error === undefined || error === null) return [];
  const [first] = String(error.message ?? error).split("\n");
  return [first.slice(0, 300), ...causes(error.cause)];
}
