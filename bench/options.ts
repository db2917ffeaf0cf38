import { parseArgs } from "node:util";

export interface Options {
  readonly rounds: number;
  readonly roundMs: number;
  readonly only: string | undefined;
  readonly quick: boolean;
  readonly calm: boolean;
  readonly json: boolean;
  readonly record: boolean;
  readonly help: boolean;
}

export const USAGE = `Usage: pnpm bench [options]

  --rounds N         counted rounds of every contender (default 7)
  --round-ms N       how long a round takes (default 500)
  --only SUBSTRING   only benches whose title contains it, as "one-to-one" or "small object"
  --quick            two rounds of 50 ms: does everything still run? The numbers mean nothing
  --calm             on a machine with other work: wait for pauses, and repeat rounds that were disturbed
  --json             print one JSON object instead of tables
  --record           write the results as bench/results/baseline.json, the results of record
  --help             this text`;

/** What is wrong with a command line, in one line. */
export class UsageError extends Error {}

export function parseOptions(argv: readonly string[]): Options {
  // `pnpm bench -- --quick` passes the separator on.
  const args = argv[0] === "--" ? argv.slice(1) : [...argv];
  const values = parse(args);
  const { quick = false, record = false, json = false, calm = false, help = false, only } = values;
  if (record && (quick || only !== undefined)) {
    throw new UsageError("--record is for a full run, without --quick and --only");
  }
  return {
    rounds: positiveInteger("--rounds", values.rounds) ?? (quick ? 2 : 7),
    roundMs: positiveInteger("--round-ms", values["round-ms"]) ?? (quick ? 50 : 500),
    only,
    quick,
    calm,
    json,
    record,
    help,
  };
}

/** For a bench with one option, a count: a mistake is one clear line and ends the process with 2. */
export function countOption(command: string, name: string, fallback: number): number {
  const argv = process.argv.slice(2);
  try {
    const args = argv[0] === "--" ? argv.slice(1) : argv;
    const text = parseArgs({ args, options: { [name]: { type: "string" } } }).values[name];
    return positiveInteger(`--${name}`, text as string | undefined) ?? fallback;
  } catch (error) {
    console.error(`${command}: ${(error as Error).message.split(/\.?\n|\. /)[0]}`);
    process.exit(2);
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        rounds: { type: "string" },
        "round-ms": { type: "string" },
        only: { type: "string" },
        quick: { type: "boolean" },
        calm: { type: "boolean" },
        json: { type: "boolean" },
        record: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function positiveInteger(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`${option} ${text}: must be an integer from 1`);
  return value;
}
