import { statSync } from "node:fs";
import { resolve } from "node:path";

export interface Options {
  readonly dir: string;
  readonly single: boolean;
  readonly faults: boolean;
  readonly json: boolean;
  /** The port of the live page, 0 for any; undefined for no page. */
  readonly observe: number | undefined;
  readonly parsers: number;
  readonly heapCapMb: number | undefined;
}

/** A mistake in the command line, in one sentence. */
export class UsageError extends Error {}

export const HELP = `Indexes every JavaScript and TypeScript file under DIR: imports, exports, identifiers.

Usage: start [DIR] [options]

  DIR             the tree to index (default: this project's node_modules)
  --single        on one thread, without actors
  --no-faults     no parser leaks, throws or exits on purpose
  --parsers N     parser actors (default: one per core)
  --heap-cap MB   heap of a parser (default: what the tree's largest file needs)
  --observe[=PORT]  a live page of the actors while they run; its address is on stderr
  --json          one JSON object as the last line on stdout
  --help          this text
`;

export interface Defaults {
  readonly dir: string;
  readonly parsers: number;
  /** What a relative DIR is relative to. */
  readonly cwd: string;
}

/** Throws UsageError; `"help"` when that was asked for. */
export function readOptions(argv: readonly string[], defaults: Defaults): Options | "help" {
  let dir: string | undefined;
  const given = { single: false, faults: true, json: false };
  let parsers = defaults.parsers;
  let heapCapMb: number | undefined;
  let observe: number | undefined;

  const args = argv[0] === "--" ? argv.slice(1) : [...argv];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    const [flag, inline] = splitFlag(arg);
    const value = () => inline ?? args[++i];
    if (flag === "--help" || flag === "-h") return "help";
    if (flag === "--parsers") parsers = wholeNumber(flag, value(), 1, 64);
    else if (flag === "--heap-cap") heapCapMb = wholeNumber(flag, value(), 32, 16_384);
    // The next argument is not its port: it may be DIR.
    else if (flag === "--observe") observe = inline === undefined ? 0 : wholeNumber(flag, inline, 0, 65_535);
    else if (flag === "--single" && inline === undefined) given.single = true;
    else if (flag === "--no-faults" && inline === undefined) given.faults = false;
    else if (flag === "--json" && inline === undefined) given.json = true;
    else if (arg.startsWith("-")) throw new UsageError(`unknown option "${arg}" (see --help)`);
    else if (dir !== undefined) throw new UsageError(`more than one DIR: "${dir}" and "${arg}"`);
    else dir = arg;
  }
  if (given.single && observe !== undefined) throw new UsageError("--single has no actors that --observe could show");
  const root = dir === undefined ? defaults.dir : resolve(defaults.cwd, dir);
  checkFolder(root, dir ?? root);
  return { dir: root, ...given, parsers, heapCapMb, observe };
}

function splitFlag(arg: string): [flag: string, value?: string] {
  const equals = arg.indexOf("=");
  return arg.startsWith("--") && equals > 0 ? [arg.slice(0, equals), arg.slice(equals + 1)] : [arg];
}

function wholeNumber(flag: string, value: string | undefined, min: number, max: number): number {
  const number = Number(value);
  if (value === undefined || value === "" || !Number.isInteger(number) || number < min || number > max) {
    throw new UsageError(`${flag} takes a whole number from ${min} to ${max}, not "${value ?? ""}"`);
  }
  return number;
}

function checkFolder(path: string, shown: string): void {
  let folder: boolean;
  try {
    folder = statSync(path).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new UsageError(`no such directory: "${shown}"`);
    throw new UsageError(`cannot open directory "${shown}": ${code}`);
  }
  if (!folder) throw new UsageError(`not a directory: "${shown}"`);
}
