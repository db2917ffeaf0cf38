import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { erlangAmong } from "../baseline/erlang.js";
import { type Bench, titleOf } from "../contender.js";
import { type BenchResult, runBench } from "../harness.js";
import { describeMachine, machineLine, OthersMeter, othersLine, warningOf } from "../machine.js";
import { parseOptions, USAGE, UsageError } from "../options.js";
import { tableOf } from "../report.js";
import { keyedAmong, keyedCalls, keyedFromMain } from "./keyed-actors.js";
import { lightAmong, lightCalls, lightFromMain } from "./light-actors.js";
import { nactAmong } from "./nact-actors.js";
import { plainObjectsAmong } from "./plain-objects.js";
import { SIZES } from "./sizes.js";
import { measureStarts, type StartResult } from "./start.js";

const CALLS_UNDER_WAY = 256;

const benches: readonly Bench[] = SIZES.flatMap((actors): Bench[] => [
  {
    topology: "wander-in-one-thread",
    work: `among ${actors}`,
    measures: "rate",
    units: "messages",
    baseline: "plain objects",
    contenders: [
      lightAmong(actors),
      keyedAmong(actors),
      plainObjectsAmong(actors),
      nactAmong(actors),
      erlangAmong(actors),
    ],
  },
  {
    topology: "main-casts-at-random",
    work: `to ${actors}`,
    measures: "rate",
    units: "messages",
    baseline: "keyed actors",
    contenders: [lightFromMain(actors), keyedFromMain(actors)],
  },
  {
    topology: "main-calls-at-random",
    work: `${CALLS_UNDER_WAY} under way, ${actors} actors`,
    measures: "rate",
    units: "calls",
    baseline: "keyed actors",
    contenders: [lightCalls(actors, CALLS_UNDER_WAY), keyedCalls(actors, CALLS_UNDER_WAY)],
  },
]);

async function main(argv: readonly string[]): Promise<void> {
  const options = parseOptions(argv);
  if (options.help) {
    console.log(USAGE.replace("pnpm bench", "pnpm bench:light"));
    return;
  }
  const only = options.only?.toLowerCase() ?? "";
  const chosen = benches.filter((bench) => titleOf(bench).toLowerCase().includes(only));
  const starts = "start".includes(only) ? SIZES.filter((actors) => actors > 2) : [];
  if (chosen.length === 0 && starts.length === 0) {
    throw new UsageError(
      `--only ${options.only}: no such bench; there are: start\n  ${benches.map(titleOf).join("\n  ")}`,
    );
  }
  const say = options.json ? (): void => {} : console.log;
  const startedAt = new Date();
  const machine = await describeMachine();
  say(machineLine(machine));
  const warning = warningOf(machine);
  if (warning !== undefined) say(warning);

  const started: StartResult[] = [];
  for (const actors of options.quick ? starts.slice(0, 1) : starts) {
    const { results, absent } = measureStarts(actors, options.rounds);
    started.push(...results);
    say(`\nstart · ${actors} actors, each in a process of its own   [${options.rounds} rounds]`);
    for (const { name, startMs, spawnUs, bytesEach } of results) {
      const shown = [
        `${startMs.median.toFixed(1)} ms (${startMs.min.toFixed(1)} – ${startMs.max.toFixed(1)})`,
        `${spawnUs.median.toFixed(2)} µs each`,
        `${Math.round(bytesEach.median)} bytes each (${Math.round(bytesEach.min)} – ${Math.round(bytesEach.max)})`,
      ];
      say(`  ${name.padEnd(16)}${shown.join("   ")}`);
    }
    for (const line of absent) say(`  ${line}`);
  }
  const others = new OthersMeter();
  const results: BenchResult[] = [];
  for (const bench of chosen) {
    const result = await runBench(bench, options, others);
    results.push(result);
    say(`\n${tableOf(result, options)}`);
  }
  say("");
  if (chosen.length > 0) say(othersLine(others.share));
  const { rounds, roundMs, calm } = options;
  const report = { startedAt, machine, plan: { rounds, roundMs, calm }, othersShare: others.share, started, results };
  if (options.json) console.log(JSON.stringify(report));
  if (!options.quick) {
    const folder = fileURLToPath(new URL("../../results/", import.meta.url));
    mkdirSync(folder, { recursive: true });
    const name = options.record
      ? "light"
      : `light-${startedAt.toISOString().slice(0, 19).replaceAll(":", "-")}-node-${process.version}`;
    writeFileSync(`${folder}${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
    say(`Written to bench/results/${name}.json`);
  }
  if (results.some(({ failed }) => failed.length > 0)) process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
