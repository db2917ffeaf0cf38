/** A mistake in a command line, in one sentence. Every command of the examples prints it on stderr and exits with 2. */
export class UsageError extends Error {}

/** What `util.parseArgs` and a server that cannot listen say becomes a UsageError too. */
export function asUsageError(error: unknown): unknown {
  const { code = "", message, port } = error as NodeJS.ErrnoException & { port?: number };
  // The first sentence: the others are advice on how to escape a dash.
  if (code.startsWith("ERR_PARSE_ARGS_")) return new UsageError(`${message.split(/\.?\n|\. /)[0]} (see --help)`);
  if (code === "EADDRINUSE") return new UsageError(`--observe: port ${port} is in use`);
  if (code === "EACCES" && port !== undefined) return new UsageError(`--observe: port ${port} may not be used`);
  return error;
}

/** Prints the error in one line, and says which exit code that is. */
export function report(command: string, error: unknown): 1 | 2 {
  const shown = asUsageError(error);
  process.stderr.write(`${command}: ${shown instanceof Error ? shown.message : String(shown)}\n`);
  return shown instanceof UsageError ? 2 : 1;
}

/** `parseArgs` has no options whose value may be left out: `--observe` alone becomes `--observe=0`, any free port. */
export function withObservePort(args: readonly string[]): string[] {
  return args.map((arg) => (arg === "--observe" ? "--observe=0" : arg));
}

export function wholeNumber(option: string, value: string, min: number, max: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw new UsageError(`${option} takes a whole number from ${min} to ${max}, not "${value}"`);
  }
  return number;
}
