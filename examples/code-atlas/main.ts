import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { report } from "../command-line.js";
import { watchOthers } from "./cpu-time.js";
import { faultsOf } from "./faults.js";
import { HELP, type Options, readOptions } from "./options.js";
import { readFacts } from "./parse-file.js";
import { Progress } from "./progress.js";
import { jsonReport, type Report, textReport } from "./report.js";
import { indexAlone, indexWithActors } from "./run-actors.js";
import { batchesOf, readTree, type SourceTree } from "./source-tree.js";

/**
 * So much is parsed before any run is timed: V8 compiles the parser's WebAssembly once for the whole process, 2.6 s of
 * CPU time, which the first run would pay for all.
 */
const WARM_UP_BYTES = 6e6;

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = report("code-atlas", error);
}

async function main(): Promise<number> {
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const options = readOptions(process.argv.slice(2), join(repositoryRoot(), "node_modules"), cwd);
  if (options === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  const progress = new Progress(process.stderr);
  progress.begin("reading every file and parsing some, so that no run finds a colder disk or colder code");
  const tree = readTree(options.dir, () => progress.advance(1));
  // Evenly from the whole tree: each kind of source has a grammar of its own.
  const every = Math.ceil(tree.bytes / WARM_UP_BYTES);
  for (const [i, file] of tree.files.entries()) if (i % every === 0) readFacts(tree.root, file);
  progress.clear();
  if (tree.files.length === 0) {
    progress.note(`code-atlas: no JavaScript or TypeScript files under "${options.dir}"`);
    if (!options.json) return 0;
  }
  const result = await run(tree, options, progress);
  process.stdout.write(options.json ? `${jsonReport(result)}\n` : textReport(result));
  return result.identical === false ? 1 : 0;
}

async function run(tree: SourceTree, options: Options, progress: Progress): Promise<Report> {
  const others = watchOthers();
  const alone = () => timed(async () => ({ summary: indexAlone(tree, progress), restarts: {} }));
  try {
    if (options.single) {
      progress.begin("indexing on one thread", tree.bytes);
      const single = await alone();
      const compared = { parsers: null, plannedFaults: [], identical: null };
      return { dir: options.dir, ...single, singleSeconds: single.seconds, others: others(), ...compared };
    }
    const { parsers } = options;
    progress.begin(`indexing with ${parsers} parsers`, tree.bytes);
    const run = await timed(() => indexWithActors(tree, options, progress));
    progress.begin("indexing on one thread", tree.bytes);
    const single = await alone();
    const batches = batchesOf(tree, parsers).length;
    const faults = Array.from({ length: options.faults ? parsers : 0 }, (_, i) => faultsOf(i, parsers, batches));
    return {
      dir: options.dir,
      ...run,
      singleSeconds: single.seconds,
      others: others(),
      parsers,
      plannedFaults: faults.flat(),
      identical: run.summary.digest === single.summary.digest,
    };
  } finally {
    progress.clear();
  }
}

async function timed<T>(work: () => Promise<T>): Promise<T & { seconds: number }> {
  const started = performance.now();
  const result = await work();
  return { ...result, seconds: (performance.now() - started) / 1_000 };
}

/** The nearest folder above this file that holds the workspace. */
function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "pnpm-workspace.yaml")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
