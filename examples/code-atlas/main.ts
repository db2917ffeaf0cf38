import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { planFaults } from "./fault-plan.js";
import { HELP, type Options, readOptions, UsageError } from "./options.js";
import { Progress } from "./progress.js";
import { jsonReport, type Report, textReport } from "./report.js";
import { indexWithActors } from "./run-actors.js";
import { indexTree } from "./single.js";
import { defaultParsers, type Survey, surveyTree } from "./survey.js";

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2), {
      dir: join(repositoryRoot(), "node_modules"),
      parsers: defaultParsers(),
      cwd: process.env.INIT_CWD ?? process.cwd(),
    });
    if (options === "help") {
      process.stdout.write(HELP);
      return 0;
    }
    const report = await run(options, new Progress(process.stderr, process.env));
    process.stdout.write(options.json ? `${jsonReport(report)}\n` : textReport(report));
    return report.identical === false ? 1 : 0;
  } catch (error) {
    process.stderr.write(`code-atlas: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run(options: Options, progress: Progress): Promise<Report> {
  progress.begin("reading every file and parsing some, so that no run finds a colder disk or colder code", undefined);
  const survey = surveyTree(options.dir, options.parsers, () => progress.advance(1));
  try {
    return options.single ? runSingle(options, survey, progress) : await runBoth(options, survey, progress);
  } finally {
    progress.clear();
  }
}

function runSingle({ dir }: Options, survey: Survey, progress: Progress): Report {
  const { summary, seconds } = timeSingle(dir, survey, progress);
  return {
    dir,
    summary,
    seconds,
    singleSeconds: seconds,
    parsers: null,
    plannedFaults: [],
    restarts: {},
    identical: null,
  };
}

async function runBoth(options: Options, survey: Survey, progress: Progress): Promise<Report> {
  const { dir, parsers, faults } = options;
  progress.begin(`indexing with ${parsers} parsers`, survey.bytes);
  const { summary, seconds, restarts } = await indexWithActors({
    root: dir,
    survey,
    parsers,
    faults,
    parserHeapCapMb: options.heapCapMb ?? survey.parserHeapMb,
    parserOffHeapCapMb: survey.parserOffHeapMb,
    onProgress: ({ bytes }) => progress.to(bytes),
    observe: options.observe,
    onObserver: (url) => progress.note(`observer: ${url}`),
    onRestart: (id, reason) => progress.note(`${id} restarted: ${reason}`),
  });
  const single = timeSingle(dir, survey, progress);
  return {
    dir,
    summary,
    seconds,
    singleSeconds: single.seconds,
    parsers,
    plannedFaults: faults
      ? planFaults(parsers, survey.batches)
          .flat()
          .map(({ fault }) => fault)
      : [],
    restarts,
    identical: summary.digest === single.summary.digest,
  };
}

function timeSingle(root: string, survey: Survey, progress: Progress) {
  progress.begin("indexing on one thread", survey.bytes);
  const started = performance.now();
  const summary = indexTree(root, (bytes) => progress.advance(bytes));
  return { summary, seconds: (performance.now() - started) / 1_000 };
}

/** The nearest folder above this file that holds the workspace. */
function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "pnpm-workspace.yaml")) && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  return folder;
}
