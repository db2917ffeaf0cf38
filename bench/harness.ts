import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Absent, type Bench, type Contender, type Round, type Runner } from "./contender.js";
import { CALM_BELOW, calm, type OthersMeter } from "./machine.js";
import { median, type Spread, spreadOf } from "./statistics.js";

export interface Plan {
  readonly rounds: number;
  /** How long a round is to take. */
  readonly roundMs: number;
  /** Wait for a machine without other work before each row of rounds, and repeat a row that was disturbed. */
  readonly calm: boolean;
}

export interface CountedRound extends Round {
  /** Share of the machine's cores that other processes took meanwhile; not known of a child's round. */
  readonly othersShare?: number;
}

export interface ContenderResult {
  readonly name: string;
  readonly how?: string;
  /** Statistics over the rounds' rates, or over their median latencies. */
  readonly value: Spread;
  /** Median of the rounds' 99th percentiles. */
  readonly p99Us?: number;
  /** How many times better than the baseline, round by round: more is better for rates and latencies alike. */
  readonly ratio: Spread;
  readonly rounds: readonly CountedRound[];
}

export interface BenchResult {
  readonly topology: string;
  readonly work: string;
  readonly measures: "rate" | "latency";
  readonly units: string;
  readonly baseline: string;
  /** Rows of rounds that were repeated because other processes disturbed them. */
  readonly repeated: number;
  readonly contenders: readonly ContenderResult[];
  /** Contenders that cannot run on this machine. */
  readonly absent: readonly { readonly name: string; readonly reason: string }[];
  /** Contenders that broke down. */
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

/** A contender that takes part, with what it has done so far. */
interface Entry {
  readonly contender: Contender;
  readonly runner: Runner;
  readonly rounds: CountedRound[];
  work: number;
}

const FIRST_WORK = 32;
/** From one round to the next the work changes at most by this factor: the first rounds run unoptimised code. */
const MAX_GROWTH = 8;
/** How long a bench waits for a calm machine before it takes the machine as it is. */
const CALM_WITHIN_MS = 120_000;
const HUNG_AFTER_MS = 60_000;
/** A contender that does not stop by then is left behind: the process ends it. */
const STOP_WITHIN_MS = 3000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/**
 * Runs one bench: every contender warms up uncounted, which also finds how much work fills a round; then rounds
 * alternate, A B C A B C …, so that a change in the machine's speed affects all contenders.
 */
export async function runBench(bench: Bench, plan: Plan, others: OthersMeter): Promise<BenchResult> {
  const entries: Entry[] = [];
  const absent: { name: string; reason: string }[] = [];
  const failed: { name: string; reason: string }[] = [];
  let repeated = 0;
  const calmUntil = performance.now() + (plan.calm ? CALM_WITHIN_MS : 0);

  const drop = async (entry: Entry, error: unknown): Promise<void> => {
    failed.push({ name: entry.contender.name, reason: String(error) });
    entries.splice(entries.indexOf(entry), 1);
    await stop(entry.runner);
  };

  for (const contender of bench.contenders) {
    try {
      entries.push({ contender, runner: await unlessHung(contender.start()), rounds: [], work: FIRST_WORK });
    } catch (error) {
      if (error instanceof Absent) absent.push({ name: contender.name, reason: error.message });
      else failed.push({ name: contender.name, reason: String(error) });
    }
  }
  try {
    for (const entry of [...entries]) {
      try {
        await warmUp(entry, plan.roundMs);
      } catch (error) {
        await drop(entry, error);
      }
    }
    while (entries.some(({ rounds }) => rounds.length < plan.rounds)) {
      await calm(calmUntil);
      const row: { entry: Entry; round: CountedRound }[] = [];
      let disturbed = false;
      for (const entry of [...entries]) {
        // No contender pays for the garbage of the one before.
        collectGarbage();
        others.begin();
        try {
          const round = await unlessHung(entry.runner.round(entry.work));
          fit(entry, round, plan.roundMs);
          if (entry.contender.isChild === true) {
            row.push({ entry, round });
            continue;
          }
          const othersShare = others.end();
          if (othersShare >= CALM_BELOW) disturbed = true;
          row.push({ entry, round: { ...round, othersShare } });
        } catch (error) {
          await drop(entry, error);
        }
      }
      if (disturbed && performance.now() < calmUntil) repeated++;
      else for (const { entry, round } of row) entry.rounds.push(round);
    }
  } finally {
    for (const { runner } of entries) await stop(runner);
  }
  const { topology, work, measures, units, baseline } = bench;
  return { topology, work, measures, units, baseline, repeated, contenders: results(bench, entries), absent, failed };
}

/** Ends with two rounds in a row that fill their time: one alone may have been a slow start. */
async function warmUp(entry: Entry, roundMs: number): Promise<void> {
  for (let filled = 0; filled < 2; ) {
    const round = await unlessHung(entry.runner.round(entry.work));
    filled = round.elapsedMs >= roundMs / 2 ? filled + 1 : 0;
    fit(entry, round, roundMs);
  }
}

/** Sets the work of the next round. */
function fit(entry: Entry, { work, elapsedMs }: Round, roundMs: number): void {
  const fitting = (work * roundMs) / elapsedMs;
  entry.work = Math.ceil(Math.min(work * MAX_GROWTH, Math.max(work / MAX_GROWTH, fitting)));
}

/** The timer also keeps this process alive while it waits for a thread that does not. */
async function unlessHung<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end in ${HUNG_AFTER_MS} ms`)), HUNG_AFTER_MS);
  });
  try {
    return await Promise.race([work, hung]);
  } finally {
    clearTimeout(timer);
  }
}

async function stop(runner: Runner): Promise<void> {
  const patience = new AbortController();
  const stopping = (async () => runner.stop())();
  await Promise.race([
    stopping.catch(() => {}),
    delay(STOP_WITHIN_MS, undefined, { signal: patience.signal }).catch(() => {}),
  ]);
  patience.abort();
}

function results(bench: Bench, entries: readonly Entry[]): ContenderResult[] {
  const isRate = bench.measures === "rate";
  const measure = (round: Round): number =>
    isRate ? (round.work / round.elapsedMs) * 1000 : (round.latency?.medianUs ?? Number.NaN);
  const baseline = entries.find(({ contender }) => contender.name === bench.baseline)?.rounds.map(measure) ?? [];
  return entries.map(({ contender, rounds }) => {
    const values = rounds.map(measure);
    const ratios = values.flatMap((value, round) => {
      const other = baseline[round];
      return other === undefined ? [] : [isRate ? value / other : other / value];
    });
    return {
      name: contender.name,
      ...(contender.how === undefined ? {} : { how: contender.how }),
      value: spreadOf(values),
      ...(isRate ? {} : { p99Us: median(rounds.map((round) => round.latency?.p99Us ?? Number.NaN)) }),
      ratio: spreadOf(ratios),
      rounds,
    };
  });
}
