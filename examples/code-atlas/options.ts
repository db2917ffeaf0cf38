import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError, wholeNumber, withObservePort } from "../command-line.js";

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

/** Throws what `asUsageError` knows; `"help"` when that was asked for. A relative DIR is relative to `cwd`. */
export function readOptions(argv: readonly string[], defaultDir: string, cwd: string): Options | "help" {
  const { values, positionals } = parseArgs({
    args: withObservePort(argv[0] === "--" ? argv.slice(1) : argv),
    options: {
      single: { type: "boolean", default: false },
      "no-faults": { type: "boolean", default: false },
      parsers: { type: "string" },
      "heap-cap": { type: "string" },
      observe: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  const number = (name: "parsers" | "heap-cap" | "observe", min: number, max: number) => {
    const value = values[name];
    return value === undefined ? undefined : wholeNumber(`--${name}`, value, min, max);
  };
  if (values.help) return "help";
  const [dir = defaultDir, second] = positionals;
  if (dir === "") throw new UsageError('no such directory: ""');
  if (second !== undefined) throw new UsageError(`more than one DIR: "${dir}" and "${second}"`);
  const options = {
    dir: resolve(cwd, dir),
    single: values.single,
    faults: !values["no-faults"],
    json: values.json,
    observe: number("observe", 0, 65_535),
    parsers: number("parsers", 1, 64) ?? availableParallelism(),
    heapCapMb: number("heap-cap", 32, 16_384),
  };
  if (options.single && options.observe !== undefined) {
    throw new UsageError("--single has no actors that --observe could show");
  }
  checkFolder(options.dir, dir);
  return options;
}

/** Throws UsageError for what is no folder. */
export function checkFolder(path: string, shown: string): void {
  try {
    if (statSync(path).isDirectory()) return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(code === "ENOENT" ? `no such directory: "${shown}"` : `cannot open "${shown}": ${code}`);
  }
  throw new UsageError(`not a directory: "${shown}"`);
}
