import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { titleOf } from "./contender.js";
import { type BenchResult, runBench } from "./harness.js";
import { describeMachine, machineLine, OthersMeter, othersLine, warningOf } from "./machine.js";
import { parseOptions, USAGE, UsageError } from "./options.js";
import { headlineOf, tableOf } from "./report.js";
import { benches, headline } from "./topology/index.js";

async function main(argv: readonly string[]): Promise<void> {
  const options = parseOptions(argv);
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const only = options.only?.toLowerCase() ?? "";
  const chosen = benches.filter((bench) => titleOf(bench).toLowerCase().includes(only));
  if (chosen.length === 0) {
    throw new UsageError(`--only ${options.only}: no such bench; there are:\n  ${benches.map(titleOf).join("\n  ")}`);
  }

  const say = options.json ? (): void => {} : console.log;
  const startedAt = new Date();
  const machine = await describeMachine();
  say(machineLine(machine));
  const warning = warningOf(machine);
  if (warning !== undefined) say(warning);

  const others = new OthersMeter();
  const results: BenchResult[] = [];
  for (const bench of chosen) {
    const result = await runBench(bench, options, others);
    results.push(result);
    say(`\n${tableOf(result, options)}`);
  }
  const found = results.find(({ topology, work }) => titleOf({ topology, work }) === titleOf(headline));
  const line = found === undefined ? undefined : headlineOf(found);
  say("");
  if (line !== undefined) say(line);
  say(othersLine(others.share));

  const { rounds, roundMs, calm } = options;
  const report = { startedAt, machine, plan: { rounds, roundMs, calm }, othersShare: others.share, results };
  if (options.json) console.log(JSON.stringify(report));
  if (!options.quick) {
    const name = options.record
      ? "baseline"
      : `${startedAt.toISOString().slice(0, 19).replaceAll(":", "-")}-node-${process.version}`;
    say(`Written to bench/results/${name}.json`);
    save(`${name}.json`, report);
  }
  // A contender that breaks down is a bug in the bench or in the library.
  if (results.some(({ failed }) => failed.length > 0)) process.exitCode = 1;
}

function save(file: string, report: unknown): void {
  const folder = fileURLToPath(new URL("../results/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}${file}`, `${JSON.stringify(report, null, 2)}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
